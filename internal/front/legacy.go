package front

import (
	"errors"
	"net/http"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// legacy serves one message of a client of the legacy era.
func (h *Handler) legacy(w http.ResponseWriter, r *http.Request, principal string, m jsonrpc.Message, takes accepted) {
	if m.Kind() == jsonrpc.Request && h.stopping(w) {
		return
	}
	starts := m.Kind() == jsonrpc.Request && m.Method == protocol.Initialize
	var s *session
	var ok bool
	if starts {
		s, ok = h.start(w, principal)
	} else {
		s, ok = h.enter(w, r, principal)
	}
	if !ok {
		return
	}
	defer s.exit()
	if m.Kind() != jsonrpc.Request {
		s.client.Message(m)
		if id, ok := cancelledID(m); ok {
			s.cancelled(id) // it is answered no more, so its stream has nothing to wait for
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	rd, err := s.begin(m.ID, takes)
	switch {
	case errors.Is(err, errDuplicate):
		h.refusal(w, m.ID, protocol.CodeInvalidRequest, err.Error())
		return
	case errors.Is(err, errBusy):
		h.busy(w)
		return
	case err != nil:
		refuse(w, http.StatusNotFound)
		return
	}
	s.client.Message(m)
	h.answer(w, r, s, rd, takes, starts)
}

// answer writes what belongs to a request of a session. A client that leaves
// does not cancel its request (MCP 2025-11-25, Streamable HTTP).
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, s *session, rd reading, takes accepted, starts bool) {
	started := false
	p := &reply{h: h, w: w, r: r, q: rd.q, takes: takes, status: legacyStatus}
	p.opening = func(stream bool, code int) numbering {
		if starts && code == 0 {
			w.Header().Set(headerSession, s.id)
			started = true
		}
		if !stream {
			return numbering{}
		}
		s.opening(rd.st)
		return numbering{on: true, number: rd.st.number, primed: takesPriming(r)}
	}
	err := p.run()
	s.leave(rd)
	if starts && (!started || err != nil) {
		h.end(s) // nobody knows that it exists
	}
	switch {
	case err == nil, errors.Is(err, errLeft), p.e != nil:
	case errors.Is(err, errCancelled):
		p.without(http.StatusAccepted)
	default:
		p.without(http.StatusNotFound) // the session is over
	}
}

// takesPriming reports whether a client understands an event without data: the
// revision that has them says so, and clients of earlier ones fail on it.
func takesPriming(r *http.Request) bool {
	versions := r.Header[headerVersion]
	return len(versions) == 1 && versions[0] >= "2025-11-25"
}

// busy answers a request of a session that has too many already.
func (h *Handler) busy(w http.ResponseWriter) {
	h.shy.refused("a session has as many requests as it may have")
	refuse(w, http.StatusTooManyRequests)
}

// cancelledID returns the request that a message cancels, if it cancels one.
func cancelledID(m jsonrpc.Message) (jsonrpc.ID, bool) {
	if m.Method != protocol.Cancelled || len(m.Params) == 0 || m.Params[0] != '{' {
		return jsonrpc.ID{}, false
	}
	raw, ok := jsonrpc.Member(m.Params, "requestId")
	if !ok {
		return jsonrpc.ID{}, false
	}
	return jsonrpc.ParseID(raw)
}

// get opens the stream for what belongs to no request, or one that the client
// lost.
func (h *Handler) get(w http.ResponseWriter, r *http.Request, principal string) {
	if !h.sessionsOnly(w, r) || h.stopping(w) {
		return
	}
	takes := acceptedBy(r.Header)
	if !takes.events {
		refuse(w, http.StatusNotAcceptable)
		return
	}
	s, ok := h.enter(w, r, principal)
	if !ok {
		return
	}
	defer s.exit()
	var rd reading
	var err error
	last := r.Header[headerLastEvent]
	switch len(last) {
	case 0:
		rd, err = s.listenTo()
	case 1:
		rd, err = s.resume(last[0])
	default:
		err = errGone
	}
	switch {
	case errors.Is(err, errOver):
		refuse(w, http.StatusNotFound)
		return
	case err != nil:
		refuse(w, http.StatusBadRequest)
		return
	}
	ids := numbering{on: true, number: rd.st.number, from: rd.from, primed: len(last) == 0 && takesPriming(r)}
	p := &reply{
		h: h, w: w, r: r, q: rd.q, takes: accepted{events: true}, status: legacyStatus,
		opening: func(bool, int) numbering { return ids },
	}
	if rd.st == s.listen { // any other has an end of its own
		p.drained = h.draining
	}
	// Clients wait for the headers before they go on.
	if p.open(batch{}) == nil && p.e.flush() == nil {
		_ = p.run() // it ends when it ends
	}
	s.leave(rd)
}

// delete ends a session.
func (h *Handler) delete(w http.ResponseWriter, r *http.Request, principal string) {
	if !h.sessionsOnly(w, r) {
		return
	}
	s, ok := h.enter(w, r, principal)
	if !ok {
		return
	}
	defer s.exit()
	h.end(s)
	w.WriteHeader(http.StatusNoContent)
}

// sessionsOnly checks the version of a request that only the legacy era has, or
// answers.
func (h *Handler) sessionsOnly(w http.ResponseWriter, r *http.Request) bool {
	versions := r.Header[headerVersion]
	switch {
	case len(versions) == 0:
		return true
	case len(versions) == 1 && protocol.EraOf(versions[0]) == protocol.Modern:
		notAllowed(w, http.MethodPost)
		return false
	case len(versions) > 1, !protocol.KnownLegacy(versions[0]):
		refuse(w, http.StatusBadRequest)
		return false
	default:
		return true
	}
}
