package peer

import "github.com/mcp-relay/relay/internal/jsonrpc"

// Handler receives what a downstream says by itself, in the order in which it
// was said: what comes on the stream of a call goes to its Caller. Its methods
// run on the connection's reader and must not wait.
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
	// AnomalyRequest: a server of the modern era asks in results, never by itself.
	AnomalyRequest = "request_in_modern_era"
)
