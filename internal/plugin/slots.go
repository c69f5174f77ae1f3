package plugin

import (
	"context"
	"errors"
	"sync"
)

// errOverloaded says that too many scans of one server wait already.
var errOverloaded = errors.New("too many scans of this server are waiting")

// slots limits how many scans run at a time and shares them out between servers:
// none gets all, and servers that wait take turns.
type slots struct {
	mu    sync.Mutex
	limit int
	most  int // that one server may hold; 0: as many as leave others some
	used  int
	turns []*share // shares with waiters, next first
}

// share is one server's part of the slots. Its fields belong to slots.mu.
type share struct {
	used  int
	queue []chan struct{} // each is closed when its slot is granted
}

// each returns the most slots that one server may hold, and the most scans of it
// that may wait.
func (s *slots) each() (running, waiting int) {
	switch {
	case s.most > 0:
		return s.most, 64
	case s.limit == 1:
		return 1, 64
	}
	return s.limit - max(1, s.limit/4), max(64, 4*s.limit)
}

// resize changes the number of slots. Those that are taken stay taken.
func (s *slots) resize(limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
	s.grant()
}

// acquire waits for a slot, no longer than ctx. Without an error, release must
// be called once.
func (s *slots) acquire(ctx context.Context, sh *share) error {
	s.mu.Lock()
	running, waiting := s.each()
	if s.used < s.limit && sh.used < running && len(sh.queue) == 0 {
		s.used++
		sh.used++
		s.mu.Unlock()
		return nil
	}
	if len(sh.queue) >= waiting {
		s.mu.Unlock()
		return errOverloaded
	}
	granted := make(chan struct{})
	if len(sh.queue) == 0 {
		s.turns = append(s.turns, sh)
	}
	sh.queue = append(sh.queue, granted)
	s.grant()
	s.mu.Unlock()

	select {
	case <-granted:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-granted: // just now: pass it on
		s.give(sh)
	default:
		s.forget(sh, granted)
	}
	return ctx.Err()
}

// release gives a slot back.
func (s *slots) release(sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.give(sh)
}

func (s *slots) give(sh *share) {
	s.used--
	sh.used--
	s.grant()
}

// grant hands free slots to waiters, one share after the other.
func (s *slots) grant() {
	running, _ := s.each()
	for passed := 0; s.used < s.limit && passed < len(s.turns); {
		sh := s.turns[0]
		s.turns = s.turns[1:]
		if sh.used >= running {
			s.turns = append(s.turns, sh)
			passed++
			continue
		}
		passed = 0
		close(sh.queue[0])
		sh.queue = sh.queue[1:]
		s.used++
		sh.used++
		if len(sh.queue) > 0 {
			s.turns = append(s.turns, sh)
		}
	}
}

// forget removes a waiter that gave up.
func (s *slots) forget(sh *share, waiter chan struct{}) {
	for i, w := range sh.queue {
		if w == waiter {
			sh.queue = append(sh.queue[:i], sh.queue[i+1:]...)
			break
		}
	}
	if len(sh.queue) > 0 {
		return
	}
	for i, t := range s.turns {
		if t == sh {
			s.turns = append(s.turns[:i], s.turns[i+1:]...)
			return
		}
	}
}
