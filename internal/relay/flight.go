package relay

import (
	"container/list"

	"github.com/mcp-relay/relay/internal/session"
)

// begun notes a call that is about to be sent. It reports false when the server
// takes no more calls, because it is configured no more.
func (s *server) begun(x *exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left.Load() {
		return false
	}
	s.calls.Add(1)
	s.open[x.number] = x
	return true
}

// ended notes that a call was answered, or will not be.
func (s *server) ended(x *exchange, watch *list.Element) {
	if s.calls.Add(-1) == 0 {
		wake(s.idle)
	}
	s.deadlines.remove(watch)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, x.number)
}

// inFlight returns a call by its number.
func (s *server) inFlight(number int64) *exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[number]
}

// onlyCaller returns whom something that the server says outside of a call's
// stream must be for: the only call in flight, or the only session that has
// calls in flight, and those. All are nil when there is none, or no such
// certainty.
func (s *server) onlyCaller() (x *exchange, sess *session.Session, theirs []*exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.open {
		req := other.client()
		switch {
		case len(s.open) == 1:
			return other, nil, nil
		case req == nil || req.Modern():
			return nil, nil, nil // each of these may be for another
		case sess != nil && sess != req.Session():
			return nil, nil, nil
		}
		sess, theirs = req.Session(), append(theirs, other)
	}
	return nil, sess, theirs
}
