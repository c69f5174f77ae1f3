package relay

import (
	"strconv"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// wants looks for what a server wants of the client before it says more. It
// reports true when the answer is dealt with. modern says that the client is.
func (x *exchange) wants(reply *peer.Reply, s *scan.Subject, modern bool) bool {
	server := x.way.link.modern()
	switch {
	case server && reply.Error == nil:
		if in, ok, err := protocol.InputRequired(reply.Result); ok {
			x.inputRequired(in, err, s)
			return true
		}
		return modern && x.method == protocol.TasksGet && x.wantsForTask(reply, s)
	case !server && modern && reply.Error != nil:
		if in, ok := urlsRequired(reply.Error); ok {
			s.Part, s.Content.Data = peer.Result, protocol.AppendInputRequired(nil, in)
			x.inputRequired(in, nil, s)
			return true
		}
	}
	return false
}

// wantsForTask has the answer say who asks, if the task asks. It reports true
// when it must not, and the client was told so.
func (x *exchange) wantsForTask(reply *peer.Reply, s *scan.Subject) bool {
	task, asks, ok := x.server.taskInput(reply.Result, x.capabilities)
	switch {
	case !ok:
		x.finish(executionFailed("The server asked the client for something that it may not ask."))
	case asks:
		s.Content.Phase, s.Content.Data = verdict.ServerRequest, task
	}
	return !ok
}

// urlsRequired reads the error with which a server of 2025-11-25 wants the user
// to visit an address first (elicitation, URL mode). A modern client knows that
// as input; when it comes again, so does the call.
func urlsRequired(object []byte) (in protocol.Input, ok bool) {
	if code, _ := protocol.ErrorCode(object); code != protocol.CodeURLElicitationRequired {
		return in, false
	}
	data, _ := jsonrpc.ObjectMember(object, "data")
	if data == nil {
		return in, false
	}
	list, _ := jsonrpc.Member(data, "elicitations")
	if len(list) == 0 || list[0] != '[' {
		return in, false
	}
	for e := range jsonrpc.Elements(list) {
		if len(e) == 0 || e[0] != '{' || len(in.Requests) == protocol.MaxInputRequests {
			return in, false
		}
		in.Requests = append(in.Requests, protocol.InputRequest{
			Key: "u" + strconv.Itoa(len(in.Requests)+1), Method: protocol.Elicit, Params: jsonrpc.DeleteMember(e, "elicitationId"),
		})
	}
	in.HasState = true
	return in, len(in.Requests) > 0
}
