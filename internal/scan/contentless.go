package scan

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// A member of a message that carries no text: a number, a boolean, or a word
// that the protocol defines.
type plain func(raw []byte) bool

func number(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// token accepts what the relay itself put there: its own progress tokens and
// request ids are numbers or short strings that it made.
func token(raw []byte) bool {
	return number(raw) || len(raw) > 1 && len(raw) <= 66 && raw[0] == '"' && isToken(raw[1:len(raw)-1])
}

func isToken(b []byte) bool {
	for _, c := range b {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func word(words ...string) plain {
	return func(raw []byte) bool {
		for _, w := range words {
			if string(raw) == `"`+w+`"` {
				return true
			}
		}
		return false
	}
}

// contentless names, per method, the members that carry no content. A message
// that has no other member is cleared without a scan; that of an uncovered
// notification keeps only these.
var contentless = map[string]map[string]plain{
	"ping":                                 {},
	"tools/list":                           {},
	"prompts/list":                         {},
	"resources/list":                       {},
	"resources/templates/list":             {},
	"notifications/initialized":            {},
	"notifications/progress":               {"progressToken": token, "progress": number, "total": number},
	"notifications/cancelled":              {"requestId": token},
	"notifications/tools/list_changed":     {},
	"notifications/prompts/list_changed":   {},
	"notifications/resources/list_changed": {},
	"notifications/roots/list_changed":     {},
	"logging/setLevel": {
		"level": word("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"),
	},
}

// hasContent reports whether a message of the method says anything that could
// steer or leak.
func hasContent(part peer.Part, method string, body []byte) bool {
	if part == peer.Result {
		// An empty result says nothing, whatever it answers.
		return string(body) != "{}"
	}
	known, ok := contentless[method]
	if !ok || part != peer.Params {
		return true
	}
	if len(body) == 0 {
		return false
	}
	if body[0] != '{' {
		return true
	}
	for name, raw := range jsonrpc.Members(body) {
		if check, ok := known[name]; !ok || !check(raw) {
			return true
		}
	}
	return false
}

// reduce returns what is left of an uncovered notification when everything
// that could carry text is taken out. ok is false when the method means
// nothing without it.
func reduce(method string, params []byte) (rest []byte, ok bool) {
	known, ok := contentless[method]
	if !ok || len(params) == 0 || params[0] != '{' {
		return nil, false
	}
	rest = params
	for name, raw := range jsonrpc.Members(params) {
		if check, ok := known[name]; !ok || !check(raw) {
			rest = jsonrpc.DeleteMember(rest, name)
		}
	}
	return rest, true
}
