package bridge

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func park(t *testing.T, l *Lot[int], principal string, v int) string {
	t.Helper()
	id, err := l.Park(principal, v)
	if err != nil {
		t.Fatalf("%s cannot park: %v", principal, err)
	}
	return id
}

func TestLot(t *testing.T) {
	l := NewLot[int](LotOptions{PerPrincipal: 2, Room: NewRoom(3), TTL: time.Hour}, func(int) { t.Error("expired") })
	a, b := park(t, l, "p", 1), park(t, l, "p", 2)
	if a == b || len(a) < 22 {
		t.Errorf("ids %q and %q can be guessed", a, b)
	}
	if _, err := l.Park("p", 3); !errors.Is(err, ErrFull) {
		t.Errorf("a third of p: %v", err)
	}
	c := park(t, l, "q", 4)
	if _, err := l.Park("r", 5); !errors.Is(err, ErrFull) {
		t.Errorf("a fourth: %v", err)
	}
	for id, want := range map[string]int{a: 1, b: 2, c: 4} {
		if v, ok := l.Take(id); !ok || v != want {
			t.Errorf("took %d, %v, want %d", v, ok, want)
		}
		if _, ok := l.Take(id); ok {
			t.Error("taken twice")
		}
	}
	if _, ok := l.Take(""); ok || l.Len() != 0 {
		t.Error("took nothing, or something is left")
	}
	id := park(t, l, "p", 6)
	if v, ok := l.Remove(id); !ok || v != 6 {
		t.Error("not removed")
	}
	if _, ok := l.Take(id); ok {
		t.Error("taken after it was removed")
	}
	l.Close()
	l.Close()
	if _, err := l.Park("p", 7); !errors.Is(err, ErrFull) {
		t.Error("parked after the end")
	}
	if len(l.counts) != 0 {
		t.Error("principals are never forgotten")
	}
}

// TestLotExpires: in order, at their time, and what was taken does not.
func TestLotExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var list []int
		var l *Lot[int]
		l = NewLot(LotOptions{PerPrincipal: 1, TTL: time.Minute}, func(v int) {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, v)
			if _, err := l.Park("again", v); err != nil && len(list) == 1 {
				t.Error("the place is not free, or the lot is locked")
			}
		})
		expect := func(want ...int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(list, want) {
				t.Errorf("expired: %v, want %v", list, want)
			}
		}
		first := park(t, l, "p", 1)
		time.Sleep(10 * time.Second)
		second := park(t, l, "q", 2)
		time.Sleep(10 * time.Second)
		third := park(t, l, "r", 3)
		if v, ok := l.Take(second); !ok || v != 2 {
			t.Error("not taken")
		}
		time.Sleep(40*time.Second - time.Nanosecond)
		expect()
		time.Sleep(time.Nanosecond)
		if _, ok := l.Take(first); ok {
			t.Error("taken at the end of its time")
		}
		expect(1)
		if _, ok := l.Take(first); ok {
			t.Error("taken after its time")
		}
		time.Sleep(20 * time.Second)
		expect(1, 3)
		if _, ok := l.Take(third); ok {
			t.Error("taken after its time")
		}
		l.Close() // synctest finds a goroutine or a timer that is left
		expect(1, 3, 1)
		if l.Len() != 0 {
			t.Error("something is left")
		}
	})
}

// TestLotExpiresEach: one timer serves all, also when nobody parks any more.
func TestLotExpiresEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var count atomic.Int32
		l := NewLot(LotOptions{TTL: time.Minute}, func(int) { count.Add(1) })
		defer l.Close()
		for i := range 5 {
			park(t, l, "p", i)
			time.Sleep(time.Second)
		}
		time.Sleep(55 * time.Second)
		for i := range 5 {
			synctest.Wait()
			if got := int(count.Load()); got != i+1 || l.Len() != 4-i {
				t.Errorf("after %d s: %d have expired", i, got)
			}
			time.Sleep(time.Second)
		}
	})
}

// TestLotTakesOnce: of any number of simultaneous takes and the end of time,
// exactly one gets the value.
func TestLotTakesOnce(t *testing.T) {
	for round := range 200 {
		ttl := time.Hour
		if round%2 == 0 {
			ttl = 20 * time.Microsecond
		}
		var got atomic.Int32
		l := NewLot(LotOptions{TTL: ttl}, func(int) { got.Add(1) })
		id := park(t, l, "p", 1)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if _, ok := l.Take(id); ok {
					got.Add(1)
				}
			})
		}
		group.Wait()
		l.Close()
		if got.Load() != 1 {
			t.Fatalf("round %d: the value was had %d times", round, got.Load())
		}
	}
}

// TestLotCloseWaits: when Close returns nothing runs.
func TestLotCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := false
		l := NewLot(LotOptions{TTL: time.Second}, func(int) {
			time.Sleep(time.Minute)
			done = true
		})
		park(t, l, "p", 1)
		time.Sleep(2 * time.Second)
		l.Close()
		if !done {
			t.Error("the function still runs")
		}
	})
}

// What lots share bounds them together, and every way out of one makes room.
func TestRoomOfSeveralLots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(3)
		a := NewLot[int](LotOptions{Room: room, TTL: time.Minute}, nil)
		b := NewLot[int](LotOptions{Room: room, TTL: time.Minute}, nil)
		full := func() {
			t.Helper()
			for _, l := range []*Lot[int]{a, b} {
				if _, err := l.Park("r", 0); !errors.Is(err, ErrFull) {
					t.Errorf("a fourth: %v", err)
				}
			}
		}
		park(t, a, "p", 1)
		taken := park(t, a, "q", 2)
		park(t, b, "p", 3)
		full()
		a.Take(taken)
		park(t, b, "q", 4)
		full()
		a.Close() // with one
		park(t, b, "q", 5)
		full()
		time.Sleep(2 * time.Minute) // all of b expire
		for n := range 3 {
			if !room.take() {
				t.Errorf("%d places are taken by nothing", 3-n)
				break
			}
		}
		b.Close()
	})
}
