package bridge

import (
	"container/list"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// ErrFull says that a principal, or all of them, have as many calls parked as
// they may.
var ErrFull = errors.New("too many calls wait for input")

// LotOptions are the limits of a Lot.
type LotOptions struct {
	PerPrincipal int           // how many values; 0: as many as one likes
	Room         *Room         // what all lots that have it share; nil: as much as one likes
	TTL          time.Duration // how long a value stays; more than 0
}

// Lot is where calls are parked until their client comes back with answers. A
// value is taken once, even when two ask for it at the same time, and goes to
// the function for expired values when nobody takes it in time. It is safe for
// concurrent use.
type Lot[T any] struct {
	options LotOptions
	expired func(T)

	mu      sync.Mutex
	places  map[string]*list.Element // by id
	queue   *list.List               // of *place[T], the one that ends first in front
	counts  map[string]int           // by principal
	timer   *time.Timer              // for the one in front; nil when there is none
	closed  bool
	sweeper sync.WaitGroup // the timer, from its start until its function has returned
}

type place[T any] struct {
	id, principal string
	value         T
	end           time.Time
}

// NewLot makes a Lot. expired is called for each value that is not taken in
// time, and by Close for those that are left; never under a lock, so that it may
// use the Lot, but it must not call Close. Nil: nothing is called.
func NewLot[T any](o LotOptions, expired func(T)) *Lot[T] {
	if expired == nil {
		expired = func(T) {}
	}
	return &Lot[T]{options: o, expired: expired, places: map[string]*list.Element{}, queue: list.New(), counts: map[string]int{}}
}

// Park keeps v for a principal and returns an id that cannot be guessed: 130
// bits, letters and digits. The error is ErrFull, also after Close; v is then
// the caller's.
func (l *Lot[T]) Park(principal string, v T) (id string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || full(l.counts[principal], l.options.PerPrincipal) || !l.options.Room.take() {
		return "", ErrFull
	}
	p := &place[T]{id: rand.Text(), principal: principal, value: v, end: time.Now().Add(l.options.TTL)}
	l.places[p.id] = l.queue.PushBack(p)
	l.counts[principal]++
	l.schedule()
	return p.id, nil
}

func full(n, limit int) bool { return limit > 0 && n >= limit }

// Take returns what was parked under id, once. It reports false for an id that
// never was, was taken, or has expired.
func (l *Lot[T]) Take(id string) (T, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, found := l.places[id]
	if !found || !time.Now().Before(of[T](e).end) {
		var none T // what has expired is the timer's
		return none, false
	}
	return l.remove(e).value, true
}

// Remove is Take for whoever parked the value, and learns that nobody has to
// come back for it.
func (l *Lot[T]) Remove(id string) (T, bool) { return l.Take(id) }

// Len returns how many values are parked.
func (l *Lot[T]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.places)
}

// Close expires all that is left. It returns when the last call of the function
// for expired values has, and nothing of the Lot runs any more.
func (l *Lot[T]) Close() {
	l.mu.Lock()
	l.closed = true
	left := l.before(time.Time{})
	if l.timer != nil && l.timer.Stop() {
		l.sweeper.Done()
	}
	l.timer = nil
	l.mu.Unlock()
	for _, p := range left {
		l.expired(p.value)
	}
	l.sweeper.Wait()
}

// schedule starts the timer for the value in front, unless it runs. A value that
// was taken leaves it running: it finds out.
func (l *Lot[T]) schedule() {
	front := l.queue.Front()
	if l.timer != nil || front == nil {
		return
	}
	l.sweeper.Add(1)
	l.timer = time.AfterFunc(time.Until(of[T](front).end), l.sweep)
}

func (l *Lot[T]) sweep() {
	defer l.sweeper.Done()
	l.mu.Lock()
	var over []*place[T]
	if !l.closed {
		l.timer = nil
		over = l.before(time.Now())
		l.schedule()
	}
	l.mu.Unlock()
	for _, p := range over {
		l.expired(p.value)
	}
}

// before removes all values whose end is not after now; all for the zero time.
func (l *Lot[T]) before(now time.Time) []*place[T] {
	var over []*place[T]
	for e := l.queue.Front(); e != nil; e = l.queue.Front() {
		if !now.IsZero() && of[T](e).end.After(now) {
			break
		}
		over = append(over, l.remove(e))
	}
	return over
}

func (l *Lot[T]) remove(e *list.Element) *place[T] {
	p := of[T](e)
	l.options.Room.give()
	l.queue.Remove(e)
	delete(l.places, p.id)
	if l.counts[p.principal]--; l.counts[p.principal] == 0 {
		delete(l.counts, p.principal)
	}
	return p
}

func of[T any](e *list.Element) *place[T] {
	p, _ := e.Value.(*place[T]) // nothing else is put into the queue
	return p
}
