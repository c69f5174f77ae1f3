package relay

import "sync"

// lane delivers things in the order in which they arrived although they become
// ready in another order: notifications wait for their verdicts, and an answer
// waits for the notifications that came before it.
type lane struct {
	mu       sync.Mutex
	slots    []*slot
	draining bool
	closed   bool       // nothing is delivered any more
	room     *sync.Cond // made when somebody has to wait for room
}

type slot struct {
	ready bool
	run   func()
	done  bool     // run has returned
	next  []func() // what waits for that
}

// laneLimit bounds the things that wait in a lane. Above it the reader of that
// server waits, and nobody else does.
const laneLimit = 256

// reserve takes the next place. It waits while the lane is full.
func (l *lane) reserve() *slot {
	s := &slot{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.slots) >= laneLimit && !l.closed {
		if l.room == nil {
			l.room = sync.NewCond(&l.mu)
		}
		l.room.Wait()
	}
	if !l.closed {
		l.slots = append(l.slots, s)
	}
	return s
}

// fill makes a place ready. run is called when everything before it was.
func (l *lane) fill(s *slot, run func()) {
	l.mu.Lock()
	s.ready, s.run = true, run
	l.drain()
	l.mu.Unlock()
}

// last returns the newest thing in the lane, nil when all was delivered.
func (l *lane) last() *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.slots) == 0 {
		return nil
	}
	return l.slots[len(l.slots)-1]
}

// after runs run when s and what came before it was delivered: at once when
// that is so already.
func (l *lane) after(s *slot, run func()) {
	if s == nil {
		run()
		return
	}
	l.mu.Lock()
	if !s.done {
		if !l.closed {
			s.next = append(s.next, run)
		}
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	run()
}

// shut drops what waits in the lane and whatever comes later.
func (l *lane) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slots, l.closed = nil, true
	if l.room != nil {
		l.room.Broadcast()
	}
}

// drain delivers what is ready, one at a time. l.mu is held.
func (l *lane) drain() {
	if l.draining {
		return
	}
	l.draining = true
	for len(l.slots) > 0 && l.slots[0].ready {
		s := l.slots[0]
		l.mu.Unlock()
		s.run()
		l.mu.Lock()
		if s.done = true; l.closed {
			break
		}
		l.slots = l.slots[1:]
		if l.room != nil {
			l.room.Broadcast()
		}
		l.mu.Unlock()
		for _, run := range s.next {
			run()
		}
		l.mu.Lock()
	}
	l.draining = false
}
