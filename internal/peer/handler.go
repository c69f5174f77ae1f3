package peer

import "github.com/mcp-relay/relay/internal/jsonrpc"

// Call is a call that is under way.
type Call interface {
	// ID returns the id under which the server knows the call.
	ID() jsonrpc.ID
	// Abandon ends the wait: the call's continuation runs with Reply.Err == err
	// unless it ran already, and an answer that comes later is an anomaly.
	Abandon(err error)
}

// Handler receives what a downstream says by itself, in the order in which it
// was said. Its methods run on the connection's reader and must not wait.
type Handler interface {
	// Request is called for a request from the server. The answer goes back
	// through the instance's Answer with the same id.
	Request(m jsonrpc.Message)
	// Notification is called for a notification from the server.
	Notification(m jsonrpc.Message)
	// Anomaly is called for a message that is not forwarded: what is one of
	// the words below.
	Anomaly(what string)
}

// The words that Handler.Anomaly is called with.
const (
	AnomalyUnasked   = "answer_to_nothing" // an id that no call has or ever had
	AnomalyTwice     = "answered_twice"    // a second answer to one call
	AnomalyLate      = "answered_too_late" // an answer after the call was abandoned
	AnomalyMalformed = "malformed_message" // not a message that everybody reads alike
	AnomalyTooLong   = "message_too_long"  // longer than the limit
	AnomalyBatch     = "batch_refused"     // a JSON array at top level
)
