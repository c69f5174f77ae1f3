package relay

import (
	"context"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Dialer connects to a server. What the server says by itself goes to h.
type Dialer interface {
	Dial(ctx context.Context, h peer.Handler) (Connection, error)
}

// DialFunc is a Dialer made of a function.
type DialFunc func(ctx context.Context, h peer.Handler) (Connection, error)

// Dial implements Dialer.
func (f DialFunc) Dial(ctx context.Context, h peer.Handler) (Connection, error) { return f(ctx, h) }

// Connection is one connection to a server. Its methods do not wait for the
// server.
type Connection interface {
	// Call sends a request; then runs exactly once with the answer.
	Call(c peer.Cleared, then func(peer.Reply)) peer.Call
	Notify(c peer.Cleared) error
	// Answer answers a request of the server.
	Answer(id jsonrpc.ID, c peer.Cleared) error
	SetProtocolVersion(version string)
	Done() <-chan struct{}
	Err() error
	// Close ends the connection and what belongs to it.
	Close(grace time.Duration)
}

// Recorder takes records of what is not a verdict.
type Recorder interface {
	Write(r *audit.Record) error
}
