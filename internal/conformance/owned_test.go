package conformance

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// owned is a member that the relay changes, adds or removes. Everything else
// comes out as it went in, byte for byte.
type owned struct {
	member string // as people call it
	where  string
	what   string // what the relay does to it
	// flows matches the flows, named with their way, in which path is left out of
	// the comparison. Empty: no flow can show it, or the flow's frame holds it.
	flows string
	path  []string
}

var ownedMembers = []owned{
	{
		member: "the envelope", where: "every message", what: "`jsonrpc`, `id`, `method` and the one of `params`, `result` and `error` are written anew, " +
			"in this order; members beside them do not go on",
	},
	{
		member: "`id`", where: "every request", what: "each receiver sees an id of the relay; the answer comes back under the sender's own, " +
			"which may be spelled with other escapes",
	},
	{member: "line breaks between tokens", where: "every message", what: "are left out, so that a message is one line"},
	{
		member: "`params.name`, `params.ref.name`", where: "`tools/call`, `prompts/get`, `completion/complete`",
		what: "the server gets its own name of what is offered under another (`naming: prefix`)",
	},
	{
		member: "`params._meta.progressToken`", where: "requests with one, and `notifications/progress` (`params.progressToken`)",
		what:  "each receiver sees a token of the relay, the sender its own",
		flows: `^request .*`, path: []string{"_meta", "progressToken"},
	},
	{
		member: "`params.progressToken`", where: "`notifications/progress`", what: "as above",
		flows: `^notification notifications/progress`, path: []string{"progressToken"},
	},
	{
		member: "`params._meta[\"io.modelcontextprotocol/clientCapabilities\"]`", where: "every modern request",
		what:  "what is switched off for the server is left out: `sampling.context` unless the configuration allows it",
		flows: `^(request|reply) .*modern client`, path: []string{"_meta", "io.modelcontextprotocol/clientCapabilities", "sampling", "context"},
	},
	{
		member: "`params._meta[\"io.modelcontextprotocol/protocolVersion\"]`", where: "every modern request",
		what:  "the server's own; it may be spelled with other escapes",
		flows: `^(request|reply) .*modern client`, path: []string{"_meta", "io.modelcontextprotocol/protocolVersion"},
	},
	{
		member: "`params._meta[\"io.modelcontextprotocol/logLevel\"]`", where: "modern requests with one",
		what:  "may be spelled with other escapes",
		flows: `^(request|reply) .*modern client`, path: []string{"_meta", "io.modelcontextprotocol/logLevel"},
	},
	{
		member: "`requestState`", where: "modern results that ask for input, and the requests that answer them",
		what:  "the client gets one that only this relay can open, the server its own back",
		flows: `^(question|reply) .*modern server`, path: []string{"requestState"},
	},
	{
		member: "`params._meta[\"io.modelcontextprotocol/subscriptionId\"]`", where: "notifications on a `subscriptions/listen` stream",
		what:  "names the receiver's own subscription; on other streams it is left out",
		flows: `^notification .*modern`, path: []string{"_meta", "io.modelcontextprotocol/subscriptionId"},
	},
	{
		member: "lists", where: "`tools/list`, `prompts/list`, `resources/list`, `resources/templates/list`",
		what: "the items are the servers', with `name` as above; the pages they come in, `nextCursor` and everything else in the result are the relay's",
	},
	{
		member: "handshakes", where: "`initialize`, `server/discover`, `ping`, `logging/setLevel`, `subscriptions/listen`",
		what: "the relay has its own with each client and each server",
	},
	{
		member: "`notifications/cancelled`, `notifications/…/list_changed`", where: "both directions", what: "are the relay's own: " +
			"it tells of what it cancels and of changes in what it offers",
	},
}

// matches reports whether a flow shows the member.
func (o *owned) matches(flow string) bool {
	return o.flows != "" && regexp.MustCompile(o.flows).MatchString(flow)
}

// masked takes what the relay owns, and line breaks between tokens, out of a
// text, so that the rest can be compared byte for byte.
func masked(text, flow string) string {
	was := text
	for i := range ownedMembers {
		o := &ownedMembers[i]
		if !o.matches(flow) {
			continue
		}
		text = without(text, o.path)
		if within := o.path[:len(o.path)-1]; len(within) > 0 && emptied(text, within) {
			text = without(text, within) // nothing of the sender is left in it
		}
	}
	if text != was { // the space beside what was there belongs to nobody
		end := strings.LastIndexByte(text, '}')
		text = strings.TrimRight(text[:end], " \t\r\n") + text[end:]
	}
	return text
}

// emptied reports whether a member is an empty object.
func emptied(text string, path []string) bool {
	begin, end, ok := span(text, path)
	if !ok {
		return false
	}
	_, value, _ := strings.Cut(text[begin:end], ":")
	return strings.Join(strings.Fields(value), "") == "{}"
}

// without removes a member with the comma beside it.
func without(text string, path []string) string {
	begin, end, ok := span(text, path)
	if !ok {
		return text
	}
	rest := strings.TrimLeft(text[end:], " \t\r\n")
	before := strings.TrimRight(text[:begin], " \t\r\n")
	switch {
	case strings.HasPrefix(rest, ","):
		return text[:begin] + strings.TrimLeft(rest[1:], " \t\r\n")
	case strings.HasSuffix(before, ","):
		return strings.TrimSuffix(before, ",") + rest
	default:
		return text[:begin] + rest
	}
}

// span finds a member from its name to the end of its value.
func span(text string, path []string) (begin, end int, ok bool) {
	d := decoder([]byte(text))
	for _, step := range path {
		if d.PeekKind() != '{' {
			return 0, 0, false
		}
		if _, err := d.ReadToken(); err != nil {
			return 0, 0, false
		}
		found := false
		for d.PeekKind() == '"' && !found {
			name, err := d.ReadValue()
			if err != nil {
				return 0, 0, false
			}
			begin = int(d.InputOffset()) - len(name)
			if found = plain(string(name)) == step; !found {
				if err := d.SkipValue(); err != nil {
					return 0, 0, false
				}
			}
		}
		if !found {
			return 0, 0, false
		}
	}
	if err := d.SkipValue(); err != nil {
		return 0, 0, false
	}
	return begin, int(d.InputOffset()), true
}

func TestWithout(t *testing.T) {
	for _, c := range []struct{ text, path, want string }{
		{`{"a":1,"b":2}`, "a", `{"b":2}`},
		{`{"a":1,"b":2}`, "b", `{"a":1}`},
		{`{"a":1 , "b" : {"x":[]} }`, "b", `{"a":1 }`},
		{`{"a":{"\u0062":"c"}}`, "a/b", `{"a":{}}`},
		{`{"a":1}`, "b", `{"a":1}`},
		{`{"a":1}`, "a/b", `{"a":1}`},
	} {
		if got := without(c.text, strings.Split(c.path, "/")); got != c.want {
			t.Errorf("%s without %s: %s", c.text, c.path, got)
		}
	}
}

// The table in the document is the one that the tests believe.
func TestOwnedMembersAreDocumented(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "| member | where | what the relay does |\n|---|---|---|\n")
	for _, o := range ownedMembers {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", o.member, o.where, o.what)
	}
	path := "../../docs/conformance.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := between(string(page), "owned", b.String())
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != want {
		t.Errorf("the table in %s is another one; it should be\n%s", path, b.String())
	}
}
