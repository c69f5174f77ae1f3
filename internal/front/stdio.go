package front

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Stdio is the transport of one client that started the relay as its child:
// one message a line on two pipes (MCP, stdio transport).
type Stdio struct {
	In         io.Reader
	MaxMessage int // bytes in a line
	// Shape names the protocol's members, see jsonrpc.Parse.
	Shape *jsonrpc.Shape
}

// Serve reads until the client closes its side, which returns nil, or ctx
// ends. A read of standard input cannot be interrupted: when ctx ends, the
// goroutine that reads stays until the process does.
func (t Stdio) Serve(ctx context.Context, conn Conn) error {
	done := make(chan error, 1)
	go func() { done <- t.read(conn) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t Stdio) read(conn Conn) error {
	frames := jsonrpc.NewReader(t.In, t.MaxMessage)
	for {
		frame, err := frames.Next()
		var long *jsonrpc.TooLongError
		switch {
		case err == nil:
			m, perr := jsonrpc.Parse(frame, t.Shape)
			if perr != nil {
				conn.Malformed(m.ID, perr)
				continue
			}
			conn.Message(m)
		case errors.As(err, &long):
			// Only the head was kept; an id in it spares the client a wait for ever.
			m, _ := jsonrpc.Parse(long.Head, t.Shape)
			conn.Malformed(m.ID, err)
		case errors.Is(err, io.EOF):
			return nil
		default:
			return fmt.Errorf("reading from the client: %w", err)
		}
	}
}
