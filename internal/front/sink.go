package front

import (
	"context"
	"io"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// outLimit is how many bytes may wait for a slow client before the servers
// that answer it have to wait too.
const outLimit = 16 << 20

// StdioSink writes to a stdio client: one frame a line, in order.
type StdioSink struct {
	w *jsonrpc.Writer
}

var _ peer.Sink = (*StdioSink)(nil)

// NewStdioSink returns a sink that writes to w.
func NewStdioSink(w io.Writer) *StdioSink {
	return &StdioSink{w: jsonrpc.NewWriter(w, jsonrpc.WriterOptions{Limit: outLimit})}
}

// envelope is about how long a frame is without its body.
const envelope = 128

// Respond implements peer.Sink.
func (s *StdioSink) Respond(id jsonrpc.ID, c peer.Cleared) error {
	return s.w.Compose(len(c.Body())+envelope, func(dst []byte) ([]byte, error) {
		return peer.AppendResponse(dst, id, c)
	})
}

// Notify implements peer.Sink.
func (s *StdioSink) Notify(_ jsonrpc.ID, c peer.Cleared) error {
	return s.Request(jsonrpc.ID{}, jsonrpc.ID{}, c)
}

// Request implements peer.Sink. There is one stream for everything.
func (s *StdioSink) Request(id, _ jsonrpc.ID, c peer.Cleared) error {
	return s.w.Compose(len(c.Body())+envelope, func(dst []byte) ([]byte, error) {
		return peer.AppendRequest(dst, id, c)
	})
}

// Close waits until everything was written or ctx ends, and refuses what comes
// later.
func (s *StdioSink) Close(ctx context.Context) error {
	err := s.w.Flush(ctx)
	if cerr := s.w.Close(); err == nil {
		err = cerr
	}
	return err
}
