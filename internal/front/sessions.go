package front

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

// start makes a session, or answers that it could not.
func (h *Handler) start(w http.ResponseWriter, principal string) (*session, bool) {
	id := rand.Text() // at least 128 bits
	s := newSession(id, principal, &h.limits, &h.kept, h.log.With(slog.String("session", h.tag(id))))
	client, ok := h.connect(h.ctx, w, peer.Hello{Session: h.name(id), Principal: principal}, s, func() {})
	if !ok {
		return nil, false
	}
	s.client = client
	s.enter()
	h.mu.Lock()
	h.sessions[id] = s
	h.mu.Unlock()
	s.mu.Lock()
	s.expiry = time.AfterFunc(h.opts.Idle, func() { h.expire(s) })
	s.mu.Unlock()
	return s, true
}

// makeRoom ends the session of a principal that was not used for the longest
// time, and reports whether there was one: clients that leave without a word
// would otherwise lock their own out until their sessions expire. What has a
// stream or a request is in use.
func (h *Handler) makeRoom(principal string) bool {
	h.mu.Lock()
	var oldest *session
	var since time.Time
	for _, s := range h.sessions {
		if s.principal != principal {
			continue
		}
		s.mu.Lock()
		free, used := s.readers == 0 && len(s.open) == 0 && !s.over, s.used
		s.mu.Unlock()
		if free && time.Since(used) >= h.limits.unused && (oldest == nil || used.Before(since)) {
			oldest, since = s, used
		}
	}
	h.mu.Unlock()
	if oldest == nil {
		return false
	}
	oldest.log.Debug("a session that is not used gives way to another of its client's")
	h.end(oldest)
	return true
}

// enter looks up the session that a request names, on behalf of its principal,
// or answers that there is none. The session of somebody else is none. Whoever
// enters calls exit.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request, principal string) (*session, bool) {
	ids := r.Header[headerSession]
	if len(ids) != 1 || ids[0] == "" {
		refuse(w, http.StatusBadRequest)
		return nil, false
	}
	h.mu.Lock()
	s := h.sessions[ids[0]]
	h.mu.Unlock()
	if s == nil || s.principal != principal {
		refuse(w, http.StatusNotFound)
		return nil, false
	}
	s.enter()
	return s, true
}

// enter keeps the session from expiring while a request is served.
func (s *session) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers++
	s.used = time.Now()
}

func (s *session) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers--
	s.used = time.Now()
}

// expire ends a session that was not used for long, or looks again later.
func (h *Handler) expire(s *session) {
	s.mu.Lock()
	rest := h.opts.Idle - time.Since(s.used)
	if s.readers > 0 || len(s.open) > 0 {
		rest = h.opts.Idle
	}
	if s.over {
		s.mu.Unlock()
		return
	}
	if rest > 0 {
		s.expiry.Reset(rest)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.log.Debug("a session was not used for long and ends")
	h.end(s)
}

// end ends a session, its streams and what it asked for.
func (h *Handler) end(s *session) {
	h.mu.Lock()
	delete(h.sessions, s.id)
	h.mu.Unlock()
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.over = true
	if s.expiry != nil {
		s.expiry.Stop()
	}
	for _, st := range s.known {
		if st.q != nil {
			st.q.end(errOver)
			st.q = nil
		}
	}
	clear(s.open)
	clear(s.known)
	s.history.clear()
	s.backlog, s.left = backlog{}, nil
	s.mu.Unlock()
	h.disconnect(s.client)
}

// endAll ends what is left.
func (h *Handler) endAll() {
	h.mu.Lock()
	sessions := make([]*session, 0, len(h.sessions))
	for _, s := range h.sessions {
		sessions = append(sessions, s)
	}
	old := make([]*oldSession, 0, len(h.old))
	for _, s := range h.old {
		old = append(old, s)
	}
	h.mu.Unlock()
	for _, s := range sessions {
		h.end(s)
	}
	for _, s := range old {
		s.q.end(errOver) // whoever serves its stream ends it
	}
}
