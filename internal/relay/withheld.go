package relay

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// sneaks reports whether a request may reach something of its server that is
// kept from clients, past the one thing by which it was routed: a method that
// the relay does not know that names it anywhere, or a reference that can be
// read in two ways.
func (r *Relay) sneaks(s *server, method string, params []byte) bool {
	switch method {
	case protocol.ToolsCall, protocol.PromptsGet, protocol.ResourcesRead, protocol.Subscribe, protocol.Unsubscribe,
		protocol.TasksGet, protocol.TasksResult, protocol.TasksCancel, protocol.TasksUpdate:
		return false
	case protocol.CompletionComplete:
		ref, _ := objectMember(params, "ref")
		_, name := jsonrpc.Member(ref, "name")
		_, uri := jsonrpc.Member(ref, "uri")
		return name && uri
	}
	return anyString(params, maxDepth, func(text string) bool { return r.registry.Keeps(s.cfg.Name, text) })
}

// maxDepth is how deep in params a name is looked for; what is deeper counts as
// one.
const maxDepth = 32

// anyString reports whether a predicate holds for some string of a JSON value,
// its members' names included.
func anyString(value []byte, depth int, holds func(string) bool) bool {
	if len(value) == 0 {
		return false
	}
	switch value[0] {
	case '"':
		text, ok := jsonrpc.Unquote(value)
		return ok && holds(text)
	case '{':
		for name, member := range jsonrpc.Members(value) {
			if depth == 0 || holds(name) || anyString(member, depth-1, holds) {
				return true
			}
		}
	case '[':
		for element := range jsonrpc.Elements(value) {
			if depth == 0 || anyString(element, depth-1, holds) {
				return true
			}
		}
	}
	return false
}
