package front

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// oldSession is a client of the HTTP+SSE transport: all it gets comes on one
// stream, whose end is its own (MCP 2024-11-05, transports).
type oldSession struct {
	principal string
	client    Client
	q         *queue
}

var _ peer.Sink = (*oldSession)(nil)

// Respond implements peer.Sink.
func (s *oldSession) Respond(id jsonrpc.ID, c peer.Cleared) error {
	frame, _, err := response(id, c)
	if err != nil {
		return err
	}
	return s.q.push(item{frame: frame})
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
	id := rand.Text()
	s := &oldSession{principal: principal, q: newQueue(h.limits.queue)}
	client, ok := h.connect(h.ctx, w, peer.Hello{Session: h.name(id), Principal: principal}, s)
	if !ok {
		return
	}
	defer client.Close()
	s.client = client
	h.mu.Lock()
	h.old[id] = s
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.old, id)
		h.mu.Unlock()
	}()
	p := &reply{
		h: h, w: w, r: r, q: s.q, takes: accepted{events: true}, drained: h.draining, status: legacyStatus,
		e: newEvents(w, &h.limits),
	}
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
	m, ok := h.read(w, r)
	if !ok {
		return
	}
	s.client.Message(m)
	w.WriteHeader(http.StatusAccepted)
}
