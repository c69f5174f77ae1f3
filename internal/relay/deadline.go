package relay

import (
	"container/list"
	"sync"
	"time"
)

// deadlines ends calls that take too long. All calls of a server have the same
// limit, so they end in the order in which they began, and one timer serves
// them all: a timer for each call would wake the poller each time.
type deadlines struct {
	limit  time.Duration // 0: none
	expire func(x *exchange)

	mu    sync.Mutex
	calls list.List // of *running, oldest first
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
	if d.limit <= 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.calls.PushBack(&running{exchange: x, until: time.Now().Add(d.limit)})
	if !d.armed {
		d.arm(d.limit)
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
