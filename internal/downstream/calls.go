package downstream

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// remembered is how many abandoned calls are remembered, so that an answer to
// one of them can be told from a second answer.
const remembered = 256

// calls is the book of the calls of one connection.
type calls struct {
	mu   sync.Mutex
	last int64 // the newest number; numbers are never used again
	open map[int64]*call
	end  error // not nil: the connection has ended

	abandoned     map[int64]struct{}
	abandonedRing [remembered]int64 // the same in the order of time
	abandonedNext int
}

func newCalls() *calls {
	return &calls{open: make(map[int64]*call), abandoned: make(map[int64]struct{})}
}

// call is one call. It is open from begin until somebody takes it from the
// book; that one answers the caller.
type call struct {
	book   *calls
	number int64
	by     peer.Caller
	cancel context.CancelFunc // ends the exchange of an abandoned call; nil when there is nothing to end
}

var _ peer.Call = (*call)(nil)

// ID returns the id under which the server knows the call.
func (c *call) ID() jsonrpc.ID { return jsonrpc.IntID(c.number) }

// Abandon implements peer.Call.
func (c *call) Abandon(err error) {
	c.book.mu.Lock()
	ours := c.book.remove(c)
	if ours {
		c.book.remember(c.number)
	}
	c.book.mu.Unlock()
	if !ours {
		return
	}
	if c.cancel != nil {
		c.cancel()
	}
	c.by.Answered(peer.Reply{Err: err})
}

// finish answers the caller with r unless it was answered already.
func (c *call) finish(r peer.Reply) {
	c.book.mu.Lock()
	ours := c.book.remove(c)
	c.book.mu.Unlock()
	if ours {
		c.by.Answered(r)
	}
}

// fail ends the call without an answer.
func (c *call) fail(err error) { c.finish(peer.Reply{Err: err}) }

// isOpen reports whether the call still waits for its answer.
func (c *call) isOpen() bool {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	return c.book.open[c.number] == c
}

// begin enters a new call. On a connection that has ended it answers the
// caller and reports false.
func (b *calls) begin(by peer.Caller, cancel context.CancelFunc) (*call, bool) {
	b.mu.Lock()
	b.last++
	c := &call{book: b, number: b.last, by: by, cancel: cancel}
	end := b.end
	if end == nil {
		b.open[c.number] = c
	}
	b.mu.Unlock()
	if end != nil {
		by.Answered(peer.Reply{Err: end})
	}
	return c, end == nil
}

// answered takes the call with the given id from the book. Without one it
// returns the word for what the answer is instead.
func (b *calls) answered(id jsonrpc.ID) (*call, string) {
	number, ok := numberOf(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !ok || number > b.last {
		return nil, peer.AnomalyUnasked
	}
	if c := b.open[number]; c != nil {
		delete(b.open, number)
		return c, ""
	}
	if _, late := b.abandoned[number]; late {
		delete(b.abandoned, number)
		return nil, peer.AnomalyLate
	}
	return nil, peer.AnomalyTwice
}

// close ends all calls with err, in the order in which they began, and refuses
// new ones. Only the first close counts.
func (b *calls) close(err error) {
	b.mu.Lock()
	if b.end != nil {
		b.mu.Unlock()
		return
	}
	b.end = err
	rest := make([]*call, 0, len(b.open))
	for _, c := range b.open {
		rest = append(rest, c)
	}
	clear(b.open)
	b.mu.Unlock()
	slices.SortFunc(rest, func(x, y *call) int { return cmp.Compare(x.number, y.number) })
	for _, c := range rest {
		if c.cancel != nil {
			c.cancel()
		}
		c.by.Answered(peer.Reply{Err: err})
	}
}

// remove reports whether c was open. The lock is held.
func (b *calls) remove(c *call) bool {
	if b.open[c.number] != c {
		return false
	}
	delete(b.open, c.number)
	return true
}

// remember notes an abandoned call and forgets the oldest. The lock is held.
func (b *calls) remember(number int64) {
	delete(b.abandoned, b.abandonedRing[b.abandonedNext])
	b.abandonedRing[b.abandonedNext] = number
	b.abandonedNext = (b.abandonedNext + 1) % remembered
	b.abandoned[number] = struct{}{}
}

// numberOf returns the number in an id that a call can have: the bytes that
// jsonrpc.IntID makes, from 1 on.
func numberOf(id jsonrpc.ID) (int64, bool) {
	raw := id.Raw()
	if raw == "" || raw[0] < '1' || raw[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	return n, err == nil
}
