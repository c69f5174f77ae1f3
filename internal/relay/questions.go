package relay

import (
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/session"
)

// questions are the requests of one connection's server that it has no answer
// to. A question stays until the answer leaves: the server may use its id for
// another only then.
type questions struct {
	mu   sync.Mutex
	open map[jsonrpc.ID]*question
}

// maxQuestions bounds the questions of one connection.
const maxQuestions = 64

// add notes a question. It reports false when the server uses its id already,
// or asks too much at a time.
func (t *questions) add(q *question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[q.id] != nil || len(t.open) >= maxQuestions {
		return false
	}
	if t.open == nil {
		t.open = map[jsonrpc.ID]*question{}
	}
	t.open[q.id] = q
	return true
}

// claim reports whether the caller is the one to answer the question: nobody
// was before, and the server still waits.
func (t *questions) claim(q *question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[q.id] != q || q.claimed {
		return false
	}
	q.claimed = true
	return true
}

// isOpen reports whether a question waits for somebody to answer it.
func (t *questions) isOpen(q *question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open[q.id] == q && !q.claimed
}

// remove ends a question, and reports whether the server still waits for its
// answer.
func (t *questions) remove(q *question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[q.id] != q {
		return false
	}
	delete(t.open, q.id)
	return true
}

// byID returns the question with an id of the server's; nil: there is none.
func (t *questions) byID(id jsonrpc.ID) *question {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open[id]
}

// wantProgress reports whether a client was asked something of which the server
// wants to hear progress under this token.
func (t *questions) wantProgress(sess *session.Session, token []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.open {
		if !q.claimed && q.to == sess && q.token != nil && jsonrpc.Equal(q.token, token) {
			return true
		}
	}
	return false
}

// asked notes how a client knows a question, and reports whether that is still
// to be answered.
func (t *questions) asked(q *question, sess *session.Session, as *session.Question) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	q.asked, q.to = as, sess
	return t.open[q.id] == q && !q.claimed
}

// known returns how the client knows a question; nil: it does not.
func (t *questions) known(q *question) *session.Question {
	t.mu.Lock()
	defer t.mu.Unlock()
	return q.asked
}

// of returns the open questions of a call; of all when it is nil.
func (t *questions) of(x *exchange) []*question {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*question
	for _, q := range t.open {
		if !q.claimed && (x == nil || q.exchange == x) {
			all = append(all, q)
		}
	}
	return all
}
