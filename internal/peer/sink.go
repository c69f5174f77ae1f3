package peer

import (
	"errors"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// ErrNotCleared is what a writer returns for content that the gate did not
// make. It is a programming error and never depends on what a peer sends.
var ErrNotCleared = errors.New("content was not cleared by the gate")

// ErrNoStream says that nothing can carry a message to the client now.
var ErrNoStream = errors.New("the client has no stream open for this")

// Sink takes what leaves towards a client. Messages that belong to one request
// of the client leave in the order of the calls, as do those that belong to
// none. It is safe for concurrent use.
type Sink interface {
	// Respond answers the client's request id with a Result or an Error.
	Respond(id jsonrpc.ID, c Cleared) error
	// Notify sends a notification that belongs to the client's request of; a
	// zero id: to none.
	Notify(of jsonrpc.ID, c Cleared) error
	// Request sends a server's request, under an id of the relay's own, that
	// belongs to the client's request of; a zero id: to none.
	Request(id, of jsonrpc.ID, c Cleared) error
}

// AppendRequest appends the frame of a request or, with a zero id, of a
// notification.
func AppendRequest(dst []byte, id jsonrpc.ID, c Cleared) ([]byte, error) {
	if c.part != Params {
		return dst, ErrNotCleared
	}
	if id.IsZero() {
		return jsonrpc.AppendNotification(dst, c.method, c.body), nil
	}
	return jsonrpc.AppendRequest(dst, id, c.method, c.body), nil
}

// AppendResponse appends the frame of a response.
func AppendResponse(dst []byte, id jsonrpc.ID, c Cleared) ([]byte, error) {
	switch c.part {
	case Result:
		return jsonrpc.AppendResult(dst, id, c.body), nil
	case Error:
		return jsonrpc.AppendError(dst, id, c.body), nil
	case NoPart, Params:
		return dst, ErrNotCleared
	default:
		return dst, ErrNotCleared
	}
}
