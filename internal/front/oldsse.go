package front

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// oldSession is a client of the HTTP+SSE transport: all it gets comes on one
// stream, whose end is its own (MCP 2024-11-05, transports).
type oldSession struct {
	principal string
	client    Client
	q         *queue

	mu   sync.Mutex
	open map[jsonrpc.ID]struct{} // requests that wait for their answer
}

var _ peer.Sink = (*oldSession)(nil)

// Respond implements peer.Sink.
func (s *oldSession) Respond(id jsonrpc.ID, c peer.Cleared) error {
	frame, _, err := response(id, c)
	if err != nil {
		return err
	}
	s.over(id)
	return s.q.push(item{frame: frame})
}

// begin notes a request, unless there are too many.
func (s *oldSession) begin(id jsonrpc.ID, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= limit {
		return false
	}
	s.open[id] = struct{}{}
	return true
}

// over notes that a request was answered, or will not be.
func (s *oldSession) over(id jsonrpc.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// Notify implements peer.Sink.
func (s *oldSession) Notify(of jsonrpc.ID, c peer.Cleared) error {
	return s.Request(jsonrpc.ID{}, of, c)
}

// Request implements peer.Sink.
func (s *oldSession) Request(id, _ jsonrpc.ID, c peer.Cleared) error {
	frame, err := request(id, c)
	if err != nil {
		return err
	}
	return s.q.push(item{frame: frame})
}

// oldStream serves the stream of a new client.
func (h *Handler) oldStream(w http.ResponseWriter, r *http.Request, principal string) {
	if r.Method != http.MethodGet {
		notAllowed(w, http.MethodGet)
		return
	}
	if !acceptedBy(r.Header).events {
		refuse(w, http.StatusNotAcceptable)
		return
	}
	if h.stopping(w) {
		return
	}
	id := rand.Text()
	s := &oldSession{principal: principal, q: newQueue(h.limits.queue), open: map[jsonrpc.ID]struct{}{}}
	client, ok := h.connect(h.ctx, w, peer.Hello{Session: h.name(id), Principal: principal}, s, func() { s.q.end(errOver) })
	if !ok {
		return
	}
	defer h.disconnect(client)
	s.client = client
	h.mu.Lock()
	h.old[id] = s
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.old, id)
		h.mu.Unlock()
	}()
	p := &reply{h: h, w: w, r: r, q: s.q, takes: accepted{events: true}, status: legacyStatus, e: newEvents(w, &h.limits)}
	p.e.named = true
	p.e.open()
	if p.e.endpoint(MessagePath+"?sessionId="+id) != nil {
		return
	}
	if err := p.run(); errors.Is(err, errSlow) {
		h.log.Warn("ended a stream: its client does not read", slog.String("session", h.tag(id)))
	}
	s.q.end(errOver)
}

// oldMessage takes a message of a client.
func (h *Handler) oldMessage(w http.ResponseWriter, r *http.Request, principal string) {
	if r.Method != http.MethodPost {
		notAllowed(w, http.MethodPost)
		return
	}
	h.mu.Lock()
	s := h.old[r.URL.Query().Get("sessionId")]
	h.mu.Unlock()
	if s == nil || s.principal != principal {
		refuse(w, http.StatusNotFound)
		return
	}
	m, ok := h.read(w, r, principal)
	if !ok {
		return
	}
	switch {
	case m.Kind() != jsonrpc.Request:
		s.client.Message(m)
		if id, ok := cancelledID(m); ok {
			s.over(id)
		}
	case h.stopping(w):
		return
	case !s.begin(m.ID, h.limits.streams):
		h.busy(w)
		return
	default:
		s.client.Message(m)
	}
	w.WriteHeader(http.StatusAccepted)
}
