package relay

import (
	"log/slog"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// taskInput looks at what a task of a modern server wants of the client (MCP
// 2026-07-28, tasks extension, input requests): it may want no more than other
// messages of the server, and says as they do who asks. asks is false when it
// wants nothing; ok is false when it must not be passed on.
func (s *server) taskInput(task []byte, able protocol.CapabilitySet) (marked []byte, asks, ok bool) {
	if len(task) == 0 || task[0] != '{' {
		return task, false, true
	}
	if _, found := jsonrpc.Member(task, "inputRequests"); !found {
		return task, false, true
	}
	requests, err := protocol.InputRequests(task)
	if err != nil {
		s.relay.log.Warn("a task wants input in a way that the protocol does not have",
			slog.String("server", s.cfg.Name), slog.Any("error", err))
		return nil, true, false
	}
	for i := range requests {
		q := &requests[i]
		if !(able & s.cfg.MayAsk).Allows(q.Method, q.Params) {
			return nil, true, false
		}
		if !s.relay.several() {
			continue
		}
		inputs, _ := jsonrpc.Member(task, "inputRequests")
		request, _ := jsonrpc.Member(inputs, q.Key)
		request = jsonrpc.SetMember(request, "params", s.provenance(q.Method, q.Params))
		task = jsonrpc.SetMember(task, "inputRequests", jsonrpc.SetMember(inputs, q.Key, request))
	}
	return task, len(requests) > 0, true
}
