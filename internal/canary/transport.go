package canary

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// maxMessage bounds a message, in bytes.
const maxMessage = 1 << 20

// ServeLines serves one client on two streams. It returns at the end of input.
func (s *Server) ServeLines(in io.Reader, out io.Writer) error {
	var mu sync.Mutex
	back := func(frame []byte) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = out.Write(append(frame, '\n')) // a client that is gone reads nothing
	}
	frames := jsonrpc.NewReader(in, maxMessage)
	for {
		frame, err := frames.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading: %w", err)
		}
		s.Hear(append([]byte(nil), frame...), back)
	}
}

// The paths of the server over HTTP.
const (
	PathHTTP = "/mcp" // Streamable HTTP
	PathSSE  = "/sse" // HTTP with SSE, of 2024-11-05
	pathPost = "/messages"
)

// Handler serves one client over Streamable HTTP and over the old HTTP with SSE.
func (s *Server) Handler() http.Handler {
	h := &web{server: s}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathHTTP, h.post)
	mux.HandleFunc("DELETE "+PathHTTP, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc(PathHTTP, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) })
	mux.HandleFunc("GET "+PathSSE, h.stream)
	mux.HandleFunc("POST "+pathPost, h.message)
	return mux
}

// web is a server over HTTP.
type web struct {
	server *Server
	mu     sync.Mutex
	back   say // of the old transport's stream
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	frame, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	return frame, err == nil
}

// events begins a stream of events and returns what writes to it, until stop is
// called.
func events(w http.ResponseWriter, first string) (out say, stop func()) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, first)
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	var mu sync.Mutex
	stopped := false
	out = func(frame []byte) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			_, _ = fmt.Fprintf(w, "event: message\ndata: %s\n\n", frame)
			_ = flush.Flush()
		}
	}
	return out, func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}
}

// post answers every request with a stream of its own.
func (h *web) post(w http.ResponseWriter, r *http.Request) {
	frame, ok := read(w, r)
	if !ok {
		return
	}
	m, err := jsonrpc.Parse(frame, nil)
	if err != nil || m.Kind() != jsonrpc.Request {
		h.server.Hear(frame, func([]byte) {})
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if m.Method == protocol.Initialize && !h.server.modern {
		w.Header().Set("Mcp-Session-Id", "canary-session")
	}
	out, stop := events(w, "")
	defer stop()
	done := make(chan struct{})
	var once sync.Once
	h.server.Hear(frame, func(frame []byte) {
		out(frame)
		if a, err := jsonrpc.Parse(frame, nil); err == nil && a.Kind() == jsonrpc.Response {
			once.Do(func() { close(done) })
		}
	})
	select {
	case <-done:
	case <-r.Context().Done():
	}
}

// stream is the one stream of the old transport.
func (h *web) stream(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock() // until an answer has somewhere to go: the client may be quick
	out, stop := events(w, "event: endpoint\ndata: "+pathPost+"\n\n")
	h.back = out
	h.mu.Unlock()
	defer stop()
	<-r.Context().Done()
}

func (h *web) message(w http.ResponseWriter, r *http.Request) {
	frame, ok := read(w, r)
	if !ok {
		return
	}
	h.mu.Lock()
	back := h.back
	h.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	if back != nil {
		h.server.Hear(frame, back)
	}
}
