package front

import (
	"context"
	"io"
	"sync"

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

// frames holds buffers for building frames: the writer copies or writes what
// it gets before it returns.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// A buffer that grew for one large message is not kept for small ones.
const maxPooled = 64 << 10

// Respond implements peer.Sink.
func (s *StdioSink) Respond(id jsonrpc.ID, c peer.Cleared) error {
	buf, _ := frames.Get().(*[]byte)
	frame, err := peer.AppendResponse((*buf)[:0], id, c)
	return s.send(buf, frame, err)
}

// Notify implements peer.Sink.
func (s *StdioSink) Notify(c peer.Cleared) error {
	buf, _ := frames.Get().(*[]byte)
	frame, err := peer.AppendRequest((*buf)[:0], jsonrpc.ID{}, c)
	return s.send(buf, frame, err)
}

func (s *StdioSink) send(buf *[]byte, frame []byte, err error) error {
	if err == nil {
		err = s.w.Write(frame)
	}
	if cap(frame) <= maxPooled {
		*buf = frame
		frames.Put(buf)
	}
	return err
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
