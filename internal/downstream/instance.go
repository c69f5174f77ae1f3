package downstream

import (
	"errors"
	"fmt"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Instance is one connection to one server. It is safe for concurrent use.
type Instance interface {
	// Call sends a request under an id of the instance's own. The caller is
	// answered exactly once: on the goroutine that read the answer, on the one that
	// called Abandon or Close, or, when the request cannot be sent, before Call
	// returns. It must not wait. The call has no time limit of its own.
	Call(c peer.Cleared, by peer.Caller) peer.Call
	// Notify sends a notification. It does not wait for the server: nil means
	// that the notification will be sent, before any call that is made later. In
	// the modern era over HTTP notifications/cancelled is not sent: Abandon says
	// it by closing the call's stream.
	Notify(c peer.Cleared) error
	// Answer answers the server's request id with a Result or an Error. Like
	// Notify it does not wait.
	Answer(id jsonrpc.ID, c peer.Cleared) error
	// SetProtocolVersion says which revision the server speaks, or is asked in
	// to find that out, and so in which era; "" goes back to the state before
	// any handshake. Calls that are under way stay what they were.
	SetProtocolVersion(v string)
	// Done is closed when the connection has ended and no more calls can be made.
	Done() <-chan struct{}
	// Err returns why the connection ended; nil until Done is closed.
	Err() error
	// Close ends the connection in order, within about three times grace, and
	// returns when nothing is left of it. It may be called again.
	Close(grace time.Duration)
}

// ErrClosed is what Err returns after Close.
var ErrClosed = errors.New("the relay closed the connection")

// ErrNoRoom is returned for a notification or an answer when the server does
// not take what was sent before.
var ErrNoRoom = fmt.Errorf("nothing was sent: %w", peer.ErrBusy)
