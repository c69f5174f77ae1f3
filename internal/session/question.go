package session

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Question is a server's request that waits for the client's answer.
type Question struct {
	session *Session
	id      jsonrpc.ID
	then    func(peer.Reply)
}

// ID returns the id under which the client knows the question.
func (q *Question) ID() jsonrpc.ID { return q.id }

// maxQuestions bounds the questions that wait for one client.
const maxQuestions = 64

// Ask sends a server's request to the client; it belongs to the client's
// request of, or to none when of is nil. then runs once, on the goroutine that
// read the answer or ended the session, and must not wait; it does not run when
// Ask fails or the question is withdrawn.
func (s *Session) Ask(of *Request, c peer.Cleared, then func(peer.Reply)) (*Question, error) {
	var about jsonrpc.ID
	if of != nil {
		about = of.id
	}
	s.mu.Lock()
	if s.ctx.Err() != nil {
		s.mu.Unlock()
		return nil, ErrEnded
	}
	if len(s.questions) >= maxQuestions {
		s.mu.Unlock()
		return nil, peer.ErrTooMany
	}
	s.asked++
	q := &Question{session: s, id: jsonrpc.IntID(s.asked), then: then}
	if s.questions == nil {
		s.questions = map[jsonrpc.ID]*Question{}
	}
	s.questions[q.id] = q
	s.mu.Unlock()
	if err := s.sink.Request(q.id, about, c); err != nil {
		if !q.Withdraw() {
			return q, nil // answered or ended meanwhile: then has run
		}
		return nil, err //nolint:wrapcheck // the sink's own error
	}
	return q, nil
}

// Withdraw ends the wait for the answer, and reports whether the question still
// waited. The client is not told.
func (q *Question) Withdraw() bool {
	q.session.mu.Lock()
	defer q.session.mu.Unlock()
	if q.session.questions[q.id] != q {
		return false
	}
	delete(q.session.questions, q.id)
	return true
}

// Reply takes the client's answer to a question, and reports whether there was
// one with that id.
func (s *Session) Reply(m *jsonrpc.Message) bool {
	s.mu.Lock()
	q := s.questions[m.ID]
	delete(s.questions, m.ID)
	s.mu.Unlock()
	if q == nil {
		return false
	}
	q.then(peer.Reply{Result: m.Result, Error: m.Error})
	return true
}

// abandonQuestions ends every question because the session has ended.
func (s *Session) abandonQuestions() {
	s.mu.Lock()
	open := s.questions
	s.questions = nil
	s.mu.Unlock()
	for _, q := range open {
		q.then(peer.Reply{Err: ErrEnded})
	}
}
