package relay

import (
	"bytes"

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
		ref, _ := jsonrpc.ObjectMember(params, "ref")
		_, name := jsonrpc.Member(ref, "name")
		_, uri := jsonrpc.Member(ref, "uri")
		return name && uri
	}
	return anyString(params, func(text string) bool { return r.registry.Keeps(s.cfg.Name, text) })
}

// anyString reports whether a predicate holds for some string of a valid JSON
// value, its members' names included. It reads the value once, however deep it
// is.
func anyString(value []byte, holds func(string) bool) bool {
	for {
		begin := bytes.IndexByte(value, '"')
		if begin < 0 {
			return false
		}
		end := begin + 1
		for end < len(value) && value[end] != '"' {
			if value[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(value) {
			return false
		}
		if text, ok := jsonrpc.Unquote(value[begin : end+1]); ok && holds(text) {
			return true
		}
		value = value[end+1:]
	}
}
