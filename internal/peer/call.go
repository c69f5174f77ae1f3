package peer

import "github.com/mcp-relay/relay/internal/jsonrpc"

// Call is a call that is under way.
type Call interface {
	// ID returns the id under which the server knows the call.
	ID() jsonrpc.ID
	// Abandon ends the wait: the caller is answered with Reply.Err == err
	// unless it was answered already, and an answer that comes later is an
	// anomaly.
	Abandon(err error)
}

// Caller is who made a call. Its methods run on the connection's reader and
// must not wait.
type Caller interface {
	// Answered is called exactly once.
	Answered(r Reply)
	// Request is called for a request of the server that came on the stream of
	// this call, before the answer. Where all calls share one stream, as on
	// stdio, the Handler gets it.
	Request(m jsonrpc.Message)
	// Notification is called for a notification that came likewise.
	Notification(m jsonrpc.Message)
}
