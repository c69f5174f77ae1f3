package session

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// ErrDuplicateID says that the client used an id that still waits for its
// answer, so that an answer could not be told from the other.
var ErrDuplicateID = errors.New("the request id is already in use")

// ErrEnded says that the session is over.
var ErrEnded = errors.New("the session has ended")

// Session is one client connection.
type Session struct {
	hello  peer.Hello
	sink   peer.Sink
	ctx    context.Context //nolint:containedctx // the session's lifetime is what a request's context derives from
	cancel context.CancelFunc

	mu        sync.Mutex
	sender    Sender
	inFlight  map[jsonrpc.ID]*Request
	asked     int64 // the number of the newest question
	questions map[jsonrpc.ID]*Question
	idle      chan struct{} // closed and forgotten when the last request ends; nil when nobody waits
}

// New starts a session of a client whose messages leave through sink. It
// ends with ctx or with End.
func New(ctx context.Context, h peer.Hello, sink peer.Sink) *Session {
	ctx, cancel := context.WithCancel(ctx)
	return &Session{
		hello: h, sink: sink,
		ctx: ctx, cancel: cancel, inFlight: map[jsonrpc.ID]*Request{},
	}
}

// ID returns the relay's id of the session.
func (s *Session) ID() string { return s.hello.Session }

// Conversation returns the name that scanners and records know the session by:
// its own, unless it is one of several that belong together.
func (s *Session) Conversation() string { return cmp.Or(s.hello.Conversation, s.hello.Session) }

// Principal returns who the client is.
func (s *Session) Principal() string { return s.hello.Principal }

// Stateless reports whether the session ends with the answer to its only
// request.
func (s *Session) Stateless() bool { return s.hello.Stateless }

// Mirrored returns the decoded Mcp-Param headers of the session's only request;
// nil where the transport has none.
func (s *Session) Mirrored() map[string]string { return s.hello.Mirrored }

// Introduce records what a client of the legacy era says of itself in its
// handshake.
func (s *Session) Introduce(c Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sender = c
}

// SetLogLevel records from which level on the client wants log messages.
func (s *Session) SetLogLevel(level string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sender.LogLevel = level
}

// Sender returns what the client said of itself in its handshake.
func (s *Session) Sender() Sender {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sender
}

// Notify sends a notification that belongs to no request to the client.
func (s *Session) Notify(c peer.Cleared) error { return s.sink.Notify(jsonrpc.ID{}, c) }

// Begin registers a request of the client. sender is what the request says of
// its sender; nil: what the handshake said.
func (s *Session) Begin(id jsonrpc.ID, method string, sender *Sender) (*Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, ErrEnded
	}
	// A client may use an id again as soon as it has read the answer, which is
	// before the request that was answered is forgotten.
	if r := s.inFlight[id]; r != nil && !r.Ended() {
		return nil, ErrDuplicateID
	}
	r := &Request{session: s, id: id, method: method, sender: sender}
	r.ctx, r.cancel = context.WithCancel(s.ctx)
	s.inFlight[id] = r
	return r, nil
}

// Refuse answers a message that is no request of this session, for example one
// that could not be parsed. A zero id is sent as null.
func (s *Session) Refuse(id jsonrpc.ID, c peer.Cleared) error { return s.sink.Respond(id, c) }

// Cancel ends the request with the given id as the client asked, and reports
// whether there was one. It can only reach requests of this session.
func (s *Session) Cancel(id jsonrpc.ID) bool {
	s.mu.Lock()
	r := s.inFlight[id]
	s.mu.Unlock()
	return r != nil && r.finish()
}

// Waiting reports whether a request with the id waits for its answer.
func (s *Session) Waiting(id jsonrpc.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, waits := s.inFlight[id]
	return waits
}

// InFlight returns how many requests wait for an answer.
func (s *Session) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.inFlight)
}

// Drain waits until every request was answered, or ctx ends.
func (s *Session) Drain(ctx context.Context) error {
	s.mu.Lock()
	if len(s.inFlight) == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// End ends the session: its requests are cancelled and answered no more.
func (s *Session) End() {
	s.cancel()
	s.mu.Lock()
	open := make([]*Request, 0, len(s.inFlight))
	for _, r := range s.inFlight {
		open = append(open, r)
	}
	s.mu.Unlock()
	for _, r := range open {
		r.finish()
	}
	s.abandonQuestions()
}

func (s *Session) forget(r *Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight[r.id] == r {
		delete(s.inFlight, r.id)
	}
	if len(s.inFlight) == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}
