package relay

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// deadlines ends calls that take too long. All calls of a server have the same
// limit, but for those that began before it changed, so they end in the order in
// which they began, and one timer serves them all: a timer for each call would
// wake the poller each time.
type deadlines struct {
	limit  atomic.Int64 // nanoseconds; 0: none
	expire func(x *exchange)

	mu    sync.Mutex
	calls list.List // of *running, the one that ends first in front
	timer *time.Timer
	armed bool
}

type running struct {
	exchange *exchange
	until    time.Time
}

// add begins to watch a call. The element is for remove; it is nil when there
// is no limit.
func (d *deadlines) add(x *exchange) *list.Element {
	limit := time.Duration(d.limit.Load())
	if limit <= 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	call := &running{exchange: x, until: time.Now().Add(limit)}
	e := d.calls.PushBack(call)
	for before := e.Prev(); before != nil; before = e.Prev() {
		if r, _ := before.Value.(*running); !r.until.After(call.until) {
			break
		}
		d.calls.MoveBefore(e, before)
	}
	if !d.armed || e.Prev() == nil && e.Next() != nil {
		d.arm(limit)
	}
	return e
}

// remove ends the watch. The timer stays armed: the next call will want it.
func (d *deadlines) remove(e *list.Element) {
	if e == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls.Remove(e)
}

// arm sets the timer. d.mu is held.
func (d *deadlines) arm(wait time.Duration) {
	d.armed = true
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.ring)
		return
	}
	d.timer.Reset(wait)
}

// ring ends the calls whose time is over.
func (d *deadlines) ring() {
	now := time.Now()
	var late []*exchange
	d.mu.Lock()
	d.armed = false
	for e := d.calls.Front(); e != nil; e = d.calls.Front() {
		r, _ := e.Value.(*running)
		if wait := r.until.Sub(now); wait > 0 {
			d.arm(wait)
			break
		}
		d.calls.Remove(e)
		late = append(late, r.exchange)
	}
	d.mu.Unlock()
	for _, x := range late {
		d.expire(x)
	}
}
