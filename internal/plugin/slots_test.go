package plugin

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func TestSlotsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slots{limit: 1}
		a, b := &share{}, &share{}
		if err := s.acquire(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		wait := func(name string, sh *share) {
			go func() {
				if err := s.acquire(t.Context(), sh); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				s.release(sh)
			}()
			synctest.Wait()
		}
		wait("a", a)
		wait("a", a)
		wait("a", a)
		wait("b", b)
		s.release(a)
		synctest.Wait()
		if want := []string{"a", "b", "a", "a"}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		if s.used != 0 || a.used != 0 || b.used != 0 || len(s.turns) != 0 {
			t.Errorf("left over: %+v", s)
		}
	})
}

func TestSlotsLeaveSomeToOthers(t *testing.T) {
	t.Parallel()
	s := &slots{limit: 8}
	a, b := &share{}, &share{}
	for range 6 {
		if err := s.acquire(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.acquire(ended, a); !errors.Is(err, context.Canceled) {
		t.Errorf("a seventh slot for one server: %v", err)
	}
	for range 2 {
		if err := s.acquire(ended, b); err != nil {
			t.Errorf("none for the other: %v", err)
		}
	}
	if len(a.queue) != 0 || len(s.turns) != 0 {
		t.Error("a waiter that gave up is still queued")
	}
}

func TestSlotsBoundTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slots{limit: 1}
		a, b := &share{}, &share{}
		if err := s.acquire(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		_, waiting := s.each()
		ctx, cancel := context.WithCancel(t.Context())
		for range waiting {
			go func() { _ = s.acquire(ctx, a) }()
		}
		synctest.Wait()
		if err := s.acquire(ctx, a); !errors.Is(err, errOverloaded) {
			t.Errorf("got %v", err)
		}
		go func() {
			if s.acquire(ctx, b) == nil {
				s.release(b)
			}
		}()
		synctest.Wait()
		if len(b.queue) != 1 {
			t.Error("one server's queue keeps others out")
		}
		cancel()
		synctest.Wait()
		s.release(a)
		if s.used != 0 || len(s.turns) != 0 {
			t.Errorf("left over: %+v", s)
		}
	})
}

func TestSlotsUnderLoad(t *testing.T) {
	t.Parallel()
	s := &slots{limit: 3}
	shares := []*share{{}, {}, {}, {}}
	var mu sync.Mutex
	running := 0
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if n%5 == 0 {
					cancel()
				}
				sh := shares[i%len(shares)]
				if s.acquire(ctx, sh) == nil {
					mu.Lock()
					running++
					if running > 4 {
						t.Error("more than the limit run")
					}
					mu.Unlock()
					if n%50 == 0 {
						s.resize(2 + n%3)
					}
					mu.Lock()
					running--
					mu.Unlock()
					s.release(sh)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if s.used != 0 || len(s.turns) != 0 {
		t.Errorf("left over: %+v", s)
	}
}
