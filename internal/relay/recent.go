package relay

import (
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// recent is the end of what a server said on one stream and its client was told:
// what comes next is judged with it, because both are read together. Not being one
// text for any scanner, a sentence could else be told in pieces of which none says
// anything.
type recent struct {
	texts   []string
	size    int // bytes of all of them
	refused int // notifications in a row that did not pass
}

// Limits of what is remembered of a stream.
const (
	maxRecent      = 2 << 10 // bytes
	maxRecentTexts = 256
	// After so many refusals in a row it may be what was told before that a
	// scanner does not like, and nothing would ever pass again.
	maxRefused    = 8
	maxTextNested = 8 // objects and arrays inside each other that are looked into
)

// before is the member that holds what was told already, beside the notifications
// that are judged.
const before = "before"

// passed remembers the text of a notification that its client was told.
func (r *recent) passed(params []byte) {
	r.refused = 0
	r.texts = texts(r.texts, params, 0)
	r.size = 0
	for i := len(r.texts) - 1; i >= 0; i-- {
		room := maxRecent - r.size
		if text := r.texts[i]; len(text) > room {
			for len(text) > room || text != "" && !utf8.RuneStart(text[0]) {
				text = text[max(1, len(text)-room):]
			}
			r.texts[i] = text
		}
		if r.size += len(r.texts[i]); r.texts[i] == "" || len(r.texts)-i > maxRecentTexts {
			r.texts = append([]string(nil), r.texts[i+1:]...)
			return
		}
	}
}

// refuse remembers that a notification did not pass.
func (r *recent) refuse() {
	if r.refused++; r.refused >= maxRefused {
		*r = recent{}
	}
}

// append appends the member with what was told before, and a comma; nothing when
// there is nothing.
func (r *recent) append(dst []byte) []byte {
	if len(r.texts) == 0 {
		return dst
	}
	dst = append(dst, `"`+before+`":[`...)
	for i, text := range r.texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonrpc.AppendString(dst, text)
	}
	return append(dst, "],"...)
}

// texts appends the strings of a notification that say something: all but those
// that the protocol has for programs.
func texts(list []string, value []byte, depth int) []string {
	if len(value) == 0 || depth > maxTextNested {
		return list
	}
	switch value[0] {
	case '"':
		if text, ok := jsonrpc.Unquote(value); ok && text != "" {
			list = append(list, text)
		}
	case '[':
		for element := range jsonrpc.Elements(value) {
			list = texts(list, element, depth+1)
		}
	case '{':
		for name, member := range jsonrpc.Members(value) {
			switch name {
			case "progressToken", "requestId", "taskId", "level", "logger", "status", "uri":
				if depth == 0 {
					continue
				}
			}
			list = texts(list, member, depth+1)
		}
	}
	return list
}
