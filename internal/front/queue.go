package front

import (
	"errors"
	"sync"

	"github.com/mcp-relay/relay/internal/peer"
)

// Why a queue takes nothing any more.
var (
	// errSlow: the client does not read what it asked for.
	errSlow = errors.New("the client does not read fast enough")
	// errCancelled: the client does not want the answer any more.
	errCancelled = errors.New("the client cancelled the request")
	// errReplaced: the client opened another stream in place of this one.
	errReplaced = errors.New("another stream took the place of this one")
	// errOver: the session is over.
	errOver = errors.New("the session is over")
)

// item is a frame on its way to the client.
type item struct {
	seq   uint64 // its number in its stream
	frame []byte // one message on one line
}

// batch is what a writer takes from a queue.
type batch struct {
	items []item
	// answered: the last item is the answer, and nothing comes after it. code is
	// its JSON-RPC error code, 0 for a result.
	answered bool
	code     int
	err      error // why nothing comes after the items, without an answer
}

// queue holds what waits for the one goroutine that writes to a client. Those
// who put something in never wait: a queue that holds more than its limit is
// over, and so is its connection.
type queue struct {
	limit int           // bytes
	wake  chan struct{} // holds one token when there is something to take

	mu      sync.Mutex
	b       batch
	size    int // bytes in b
	writing int // bytes that were taken last
}

func newQueue(limit int) *queue { return &queue{limit: limit, wake: make(chan struct{}, 1)} }

// push adds a message.
func (q *queue) push(it item) error { return q.add(it, false, 0) }

// answer adds the last message.
func (q *queue) answer(it item, code int) error { return q.add(it, true, code) }

func (q *queue) add(it item, last bool, code int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch pending := q.size + q.writing; {
	case q.b.answered:
		return peer.ErrNoStream
	case q.b.err != nil:
		return q.b.err
	case pending > 0 && pending+len(it.frame) > q.limit:
		q.stop(errSlow)
		return errSlow
	}
	q.b.items = append(q.b.items, it)
	q.b.answered, q.b.code = last, code
	q.size += len(it.frame)
	q.signal()
	return nil
}

// end lets nothing more in. What is in it already is still taken.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.b.answered && q.b.err == nil {
		q.stop(err)
	}
}

// seize lets nothing more in, and nothing out: it returns what was not taken.
func (q *queue) seize(err error) []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.b.items
	q.b.items, q.b.answered, q.size = nil, false, 0
	q.stop(err)
	return items
}

func (q *queue) stop(err error) {
	q.b.err = err
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns what is there, and says that what was taken before is written.
func (q *queue) take() batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.b
	q.b.items = nil
	q.writing, q.size = q.size, 0
	return b
}
