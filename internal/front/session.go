package front

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Why a request of a session is not taken.
var (
	errDuplicate = errors.New("the request id is already in use")
	errBusy      = errors.New("too many requests of this session are open")
)

// session is a client of the legacy era: streams for its requests, and one for
// what belongs to none (MCP 2025-11-25, Streamable HTTP). It is the sink of the
// client. All methods are safe for concurrent use.
type session struct {
	id, principal string
	client        Client
	limits        *limits
	log           *slog.Logger

	mu      sync.Mutex
	over    bool
	last    uint64 // number of the newest stream
	open    map[jsonrpc.ID]*stream
	known   map[uint64]*stream // those that a client may come back to
	listen  *stream
	heard   bool   // the client opened a stream for what belongs to no request
	left    []item // what such a stream was closed before
	backlog backlog
	history history
	readers int // HTTP requests that are served
	used    time.Time
	expiry  *time.Timer
}

var _ peer.Sink = (*session)(nil)

func newSession(id, principal string, l *limits, kept *atomic.Int64, log *slog.Logger) *session {
	listen := &stream{opened: true}
	return &session{
		id: id, principal: principal, limits: l, log: log, listen: listen, history: history{all: kept},
		open: map[jsonrpc.ID]*stream{}, known: map[uint64]*stream{0: listen}, used: time.Now(),
	}
}

// reading is a stream that somebody reads, from after an event on.
type reading struct {
	st   *stream
	q    *queue
	from uint64
}

// begin opens the stream for a request.
func (s *session) begin(id jsonrpc.ID, takes accepted) (reading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return reading{}, errOver
	case s.open[id] != nil:
		return reading{}, errDuplicate
	case len(s.open) >= s.limits.streams:
		return reading{}, errBusy
	}
	s.last++
	st := &stream{number: s.last, q: newQueue(s.limits.queue), opened: !takes.json, only: !takes.events}
	s.open[id] = st
	s.known[st.number] = st
	return reading{st: st, q: st.q}, nil
}

// Respond implements peer.Sink. The answer may be for nobody: its client left
// before it knew of a stream that it could come back to.
func (s *session) Respond(id jsonrpc.ID, c peer.Cleared) error {
	frame, code, err := response(id, c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.open[id]
	if st == nil {
		return peer.ErrNoStream
	}
	delete(s.open, id)
	s.used = time.Now()
	st.over = true
	return s.put(st, frame, func(q *queue, it item) error { return q.answer(it, code) })
}

// Notify implements peer.Sink.
func (s *session) Notify(of jsonrpc.ID, c peer.Cleared) error { return s.Request(jsonrpc.ID{}, of, c) }

// Request implements peer.Sink.
func (s *session) Request(id, of jsonrpc.ID, c peer.Cleared) error {
	frame, err := request(id, c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !of.IsZero() {
		st := s.open[of]
		if st == nil || st.only {
			return peer.ErrNoStream
		}
		return s.put(st, frame, (*queue).push)
	}
	switch {
	case s.over:
		return errOver
	case s.listen.q != nil:
		return s.put(s.listen, frame, (*queue).push)
	case !id.IsZero() && !s.heard:
		return peer.ErrNoStream // a client that never listened may never do
	}
	wasFull := s.backlog.full
	err = s.backlog.add(c.Method(), frame, s.limits)
	if err != nil && !wasFull {
		s.log.Warn("a client that opens no stream missed notifications")
	}
	return err
}

// put adds a message to a stream, and to what is kept for resumption. How it
// gets into the queue is add's business.
func (s *session) put(st *stream, frame []byte, add func(*queue, item) error) error {
	defer s.forget(st)
	if st.q == nil && !st.opened {
		return peer.ErrNoStream // there is no id that the client could come back with
	}
	st.seq++
	it := item{seq: st.seq, frame: frame}
	// An answer that is alone leaves as JSON, which cannot be resumed.
	if !st.over || st.opened {
		st.opened = true
		s.history.add(st, it, s.limits, s.dropped)
	}
	if st.q == nil {
		return nil
	}
	err := add(st.q, it)
	if err != nil {
		s.log.Warn("ended a stream of a client", slog.Any("error", err))
		st.q = nil
	}
	return err
}

// forget drops a stream that nobody can come back to.
func (s *session) forget(st *stream) {
	if st.over && st.q == nil && st.kept == 0 {
		delete(s.known, st.number)
	}
}

// dropped notes that an event of a stream is not kept any more.
func (s *session) dropped(st *stream) {
	if st.q == nil && !st.over && !st.torn {
		st.torn = true
		s.log.Warn("a stream that its client left cannot be resumed any more: too much was said on it")
	}
	s.forget(st)
}

// opening notes that a stream's answer becomes a stream of events.
func (s *session) opening(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.opened = true
}

// leave notes that a stream is not read any more.
func (s *session) leave(rd reading) {
	st, q := rd.st, rd.q
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.q != q {
		return
	}
	st.q = nil
	if rest := q.seize(errOver); st == s.listen {
		s.keep(rest)
	}
	s.forget(st)
}

// keep keeps what was not written to the last stream of its kind for the next.
func (s *session) keep(items []item) {
	size := 0
	for _, it := range items {
		size += len(it.frame)
	}
	if len(items) > s.limits.waitItems || size > s.limits.waiting {
		s.log.Warn("a client left without reading its notifications")
		return
	}
	s.left = items
}

// listenTo opens the stream for what belongs to no request, in place of an
// earlier one. It begins with what was kept for it.
func (s *session) listenTo() (reading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return reading{}, errOver
	}
	if s.listen.q != nil {
		s.keep(s.listen.q.seize(errReplaced))
	}
	from := s.listen.seq
	if len(s.left) > 0 {
		from = s.left[0].seq - 1
	}
	return s.replace(s.listen, from, s.left), nil
}

// errGone says that a client cannot come back to where it was.
var errGone = errors.New("the events after that one are not kept")

// resume opens a stream again after the event with the given id.
func (s *session) resume(lastEvent string) (reading, error) {
	number, seq, ok := parseEventID(lastEvent)
	if !ok {
		return reading{}, errGone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.known[number]
	switch {
	case s.over:
		return reading{}, errOver
	case st == nil, seq < st.from, seq > st.seq:
		return reading{}, errGone
	}
	return s.replace(st, seq, s.history.after(st, seq)), nil
}

// replace gives a stream a new queue that begins with the given items, the
// first of which comes after event from.
func (s *session) replace(st *stream, from uint64, items []item) reading {
	if st.q != nil {
		st.q.seize(errReplaced)
	}
	q := newQueue(s.limits.queue)
	q.b.items, q.b.answered = items, st.over
	q.signal()
	st.q = q
	if st == s.listen {
		s.left, s.heard = nil, true
		for _, frame := range s.backlog.take() {
			_ = s.put(st, frame, (*queue).push) // it is less than fits
		}
	}
	return reading{st: st, q: q, from: from}
}

// cancelled ends the stream of a request that will not be answered.
func (s *session) cancelled(id jsonrpc.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.open[id]
	if st == nil {
		return
	}
	delete(s.open, id)
	st.over = true
	if st.q != nil {
		st.q.end(errCancelled)
	}
	s.forget(st)
}
