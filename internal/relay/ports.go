package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/registry"
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
	// Call sends a request; by is answered exactly once.
	Call(c peer.Cleared, by peer.Caller) peer.Call
	Notify(c peer.Cleared) error
	// Answer answers a request of the server.
	Answer(id jsonrpc.ID, c peer.Cleared) error
	SetProtocolVersion(version string)
	Done() <-chan struct{}
	Err() error
	// Close ends the connection and what belongs to it.
	Close(grace time.Duration)
}

// talker is a Connection to a server that writes to a standard error of its
// own. What it says is for the people who run the relay and never leaves it.
type talker interface{ Stderr() string }

// lastWords adds to err why the connection ended and what the server wrote
// last: most servers that do not start say there why.
func lastWords(conn Connection, err error) error {
	var text string
	if t, ok := conn.(talker); ok {
		// First, because it waits a moment for a server that is just ending.
		text = strings.TrimSpace(t.Stderr())
	}
	select {
	case <-conn.Done():
		if cause := conn.Err(); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", err, cause)
		}
	default:
	}
	if text != "" {
		err = fmt.Errorf("%w; it wrote: %s", err, text)
	}
	return err
}

// Recorder takes records of what is not a verdict.
type Recorder interface {
	Write(r *audit.Record) error
}

// Memory remembers what servers offered, so that a definition that is not what
// it was is seen, and may be held. Several cores share one.
type Memory interface {
	// Recall compares what a server lists of a kind with what is remembered, and
	// remembers it. items are what the gate made of the list; sent is the same
	// list as the server sent it. An item that is not to be offered gets the
	// state Held and a reason; one that is offered although nobody approved it
	// becomes Changed.
	Recall(ctx context.Context, server string, k registry.Kind, items []registry.Item, sent [][]byte)
	// RecallInstructions does so with the server's instructions, which are empty
	// where it has none.
	RecallInstructions(ctx context.Context, server, instructions, scanID string) (held bool)
	// Changed returns a channel that is closed when the answers about a server
	// may be others than before, because somebody approved a change.
	Changed(server string) <-chan struct{}
}
