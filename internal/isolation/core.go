package isolation

import (
	"context"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Client is what a connected client's messages are handed to.
type Client interface {
	Message(m jsonrpc.Message)
	Malformed(id jsonrpc.ID, err error)
	// Drain waits until every request of the client was answered, or ctx ends.
	Drain(ctx context.Context) error
	Close()
}

// Core serves the clients of one scope.
type Core interface {
	// Start connects to the servers in the background, until ctx ends or Close
	// is called. It does not wait for them.
	Start(ctx context.Context)
	// Connect does not wait for servers either. When the whole pool is closed at
	// the same time it may come after Close; such a client is answered no more.
	Connect(ctx context.Context, who peer.Hello, sink peer.Sink) Client
	// Close ends the connections to the servers and waits until they are gone.
	Close()
}

// Typed is a core whose Connect returns a type of its own.
type Typed[C Client] interface {
	Start(ctx context.Context)
	Connect(ctx context.Context, who peer.Hello, sink peer.Sink) C
	Close()
}

// Of returns a typed core as a Core.
func Of[C Client](core Typed[C]) Core { return adapted[C]{core} }

type adapted[C Client] struct{ Typed[C] }

// Connect implements Core.
func (a adapted[C]) Connect(ctx context.Context, who peer.Hello, sink peer.Sink) Client {
	return a.Typed.Connect(ctx, who, sink)
}
