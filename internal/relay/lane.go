package relay

import "sync"

// lane delivers things in the order in which they arrived although they become
// ready in another order: notifications wait for their verdicts, and an answer
// waits for the notifications that came before it.
type lane struct {
	mu       sync.Mutex
	slots    []*slot
	draining bool
	room     *sync.Cond // made when somebody has to wait for room
}

type slot struct {
	ready bool
	run   func()
}

// laneLimit bounds the things that wait in a lane. Above it the reader of that
// server waits, and nobody else does.
const laneLimit = 256

// reserve takes the next place. It waits while the lane is full.
func (l *lane) reserve() *slot {
	s := &slot{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.slots) >= laneLimit {
		if l.room == nil {
			l.room = sync.NewCond(&l.mu)
		}
		l.room.Wait()
	}
	l.slots = append(l.slots, s)
	return s
}

// fill makes a place ready. run is called when everything before it was.
func (l *lane) fill(s *slot, run func()) {
	l.mu.Lock()
	s.ready, s.run = true, run
	l.drain()
	l.mu.Unlock()
}

// after runs run when everything that is in the lane now was delivered: at
// once when it is empty.
func (l *lane) after(run func()) {
	l.mu.Lock()
	if len(l.slots) == 0 && !l.draining {
		l.mu.Unlock()
		run()
		return
	}
	l.slots = append(l.slots, &slot{ready: true, run: run})
	l.drain()
	l.mu.Unlock()
}

// drain delivers what is ready, one at a time. l.mu is held.
func (l *lane) drain() {
	if l.draining {
		return
	}
	l.draining = true
	for len(l.slots) > 0 && l.slots[0].ready {
		run := l.slots[0].run
		l.mu.Unlock()
		run()
		l.mu.Lock()
		l.slots = l.slots[1:]
		if l.room != nil {
			l.room.Broadcast()
		}
	}
	l.draining = false
}
