package front

import (
	"context"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Conn is what a transport hands messages to. Its methods must not wait for
// anything but a slow client. Stdio calls them on its reader, one at a time;
// HTTP calls them for several requests of a client at once.
type Conn interface {
	// Message is called for each message that everybody reads alike.
	Message(m jsonrpc.Message)
	// Malformed is called for a frame that is refused. id is zero when it could
	// not be read.
	Malformed(id jsonrpc.ID, err error)
}

// Client is a connected client.
type Client interface {
	Conn
	// Drain waits until every request of the client was answered, or ctx ends.
	Drain(ctx context.Context) error
	// Close ends the client's session. What it asked for is cancelled.
	Close()
}

// Host accepts clients. It is safe for concurrent use.
type Host interface {
	// Connect starts a session of a client whose messages leave through sink.
	// The session ends with ctx or with the client's Close. The error wraps
	// peer.ErrTooMany when the principal has as many as it may have.
	Connect(ctx context.Context, hello peer.Hello, sink peer.Sink) (Client, error)
	// Refusal makes the JSON-RPC error object of what a transport refuses by
	// itself. The text is a constant of this package, or an error of package
	// jsonrpc or protocol that quotes nothing.
	Refusal(code int, text string) peer.Cleared
}

// Verifier knows the tokens of the HTTP transports. It is safe for concurrent
// use.
type Verifier interface {
	// Verify returns whose token it is. It takes as long for a token that
	// nobody has as for one that somebody has; "" is a token that nobody has.
	Verify(token string) (principal string, ok bool)
}

// local is the principal of every client where no token is asked for.
const local = "local"
