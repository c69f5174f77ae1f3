package eval

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// message is an item in what carries it.
type message struct {
	subject *scan.Subject
	// own begins the pointers into the item; what comes after the prefix points
	// into the item itself. Pointers elsewhere are about something else.
	own string
}

// message puts an item into the message that would carry it.
func (it *Item) message(around surroundings) message {
	s := &scan.Subject{Part: peer.Params, Content: verdict.Content{
		Phase: it.Phase.Phase, Kind: verdict.JSON,
		Origin: verdict.Origin{
			// A conversation of its own: what one item leaked is not another's.
			Session: it.ID, Principal: it.ID, Call: it.ID,
			Server: it.server(), Target: it.target(),
		},
	}}
	m := message{subject: s}
	c := &s.Content
	switch it.Phase.Phase {
	case verdict.Definition:
		s.Part, s.Catalogue, c.Origin.Target = peer.Result, registry.Tools.Member(), ""
		c.Origin.Method, m.own = protocol.ToolsList, "/"+registry.Tools.Member()+"/0"
		c.Data = catalogue(append([][]byte{it.definition()}, around.same...))
		c.Inventory = around.others
	case verdict.Response:
		s.Part, c.Origin.Method = peer.Result, protocol.ToolsCall
		c.Data, m.own = it.result()
	case verdict.ServerRequest:
		c.Origin.Method, c.Data, m.own = it.question()
	case verdict.Notification:
		c.Origin.Method, c.Data, m.own = protocol.LogMessage, it.JSON, ""
		if c.Data == nil {
			c.Data, m.own = object("level", "info", "data", it.Text), "/data"
		}
	default:
		c.Origin.Method, c.Data = protocol.ToolsCall, it.JSON
		if c.Data == nil {
			c.Data, m.own = object("name", it.target(), "arguments", map[string]string{"input": it.Text}), "/arguments/input"
		}
	}
	return m
}

func (it *Item) server() string {
	if it.Server == "" {
		return "server"
	}
	return it.Server
}

// target returns the name of the tool that the item is about.
func (it *Item) target() string {
	if name := jsonrpc.StringMember(it.JSON, "name"); name != "" {
		return name
	}
	if it.Tool == "" {
		return "tool"
	}
	return it.Tool
}

// definition returns the tool's definition: of a change, the changed one.
func (it *Item) definition() []byte {
	if it.JSON == nil {
		return object("name", it.target(), "description", it.Text, "inputSchema", map[string]string{"type": "object"})
	}
	if _, current, changes := it.change(); changes {
		return current
	}
	return it.JSON
}

// change returns what a definition was and what it is, when that is the item.
func (it *Item) change() (previous, current []byte, ok bool) {
	if it.Phase.Phase != verdict.Definition || it.JSON == nil {
		return nil, nil, false
	}
	previous, before := jsonrpc.ObjectMember(it.JSON, "previous")
	current, after := jsonrpc.ObjectMember(it.JSON, "current")
	return previous, current, before && after
}

// result returns the result that shows the item's text to a model.
func (it *Item) result() (data []byte, own string) {
	if it.JSON == nil {
		return object("content", []map[string]string{{"type": "text", "text": it.Text}}), "/content/0/text"
	}
	for _, member := range []string{"content", "structuredContent", "contents", "messages"} {
		if _, ok := jsonrpc.Member(it.JSON, member); ok && it.JSON[0] == '{' {
			return it.JSON, ""
		}
	}
	return object("content", []string{}, "structuredContent", it.JSON), "/structuredContent"
}

// question returns what a server would ask with the item.
func (it *Item) question() (method string, data []byte, own string) {
	if it.JSON == nil {
		form := map[string]any{"type": "object", "properties": struct{}{}}
		return protocol.Elicit, object("message", it.Text, "requestedSchema", form), "/message"
	}
	if _, ok := jsonrpc.Member(it.JSON, "messages"); ok {
		return protocol.CreateMessage, it.JSON, ""
	}
	return protocol.Elicit, it.JSON, ""
}

// object returns a JSON object with members in this order.
func object(members ...any) []byte {
	out := []byte("{}")
	for i := 0; i+1 < len(members); i += 2 {
		name, _ := members[i].(string)
		value, err := json.Marshal(members[i+1])
		if err != nil {
			panic(err) // strings, and what is made of them, always marshal
		}
		out = jsonrpc.SetMember(out, name, value)
	}
	return out
}

func catalogue(tools [][]byte) []byte {
	out := append([]byte(`{"`+registry.Tools.Member()+`":[`), bytes.Join(tools, []byte(","))...)
	return append(out, "]}"...)
}

// within returns a pointer into the item itself, and whether it points there: to
// the item, a part of it, or the whole message.
func (m *message) within(pointer string) (string, bool) {
	rest, ok := strings.CutPrefix(pointer, m.own)
	switch {
	case ok && (rest == "" || rest[0] == '/'):
		return rest, true
	case m.subject.Catalogue == "":
		return pointer, true // about what carries the item, which is the item's doing
	default:
		return pointer, !strings.HasPrefix(pointer, "/"+m.subject.Catalogue+"/")
	}
}
