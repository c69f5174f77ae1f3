package panscanner

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

func throttleWith(rate float64, burst, tokens int) *throttle {
	c := defaults()
	c.rate, c.burst, c.tokensPerMinute = rate, burst, tokens
	return newThrottle(&c)
}

// flood lets n requests of a server wait at once and counts those that get a turn.
type flood struct {
	got      atomic.Int64
	outage   atomic.Int64
	ownFault atomic.Int64
}

func (f *flood) run(group *sync.WaitGroup, t *throttle, server string, n, bytes int, deadline time.Duration) {
	for range n {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			defer cancel()
			switch _, failure := t.wait(ctx, server, bytes); {
			case failure == nil:
				f.got.Add(1)
			case failure.Reason == scanner.ReasonRateLimited && failure.ContentCaused:
				f.ownFault.Add(1)
			case failure.Reason == scanner.ReasonRateLimited:
				f.outage.Add(1)
			}
		})
	}
}

// TestThrottleRate checks that no more is sent than the limits allow.
func TestThrottleRate(t *testing.T) {
	for name, test := range map[string]struct {
		rate   float64
		burst  int
		tokens int
		bytes  int
		want   int64 // within five seconds
	}{
		"requests": {10, 5, 10_000_000, 4, 5 + 45}, // half a second is left for the answer
		// 100 tokens a second, 500 at once; what is owed is paid back.
		"tokens": {1000, 1000, 6000, 400, 6 + 4},
		"larger": {1000, 1000, 6000, 8000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var group sync.WaitGroup
				var f flood
				f.run(&group, throttleWith(test.rate, test.burst, test.tokens), "a", 200, test.bytes, 5*time.Second)
				group.Wait()
				if got := f.got.Load(); got < test.want-1 || got > test.want+1 {
					t.Errorf("%d turns, want %d", got, test.want)
				}
				if f.outage.Load() > 0 {
					t.Errorf("%d outages: a flood would open what an outage opens", f.outage.Load())
				}
			})
		})
	}
}

// TestThrottleFair has one server flood while others ask now and then: they get
// what they ask for, and the failures are the flooder's own.
func TestThrottleFair(t *testing.T) {
	for name, bytes := range map[string]int{"many": 4, "large": 40_000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				th := throttleWith(20, 5, 1_200_000) // 20 requests and 20 000 tokens a second
				var group sync.WaitGroup
				var hostile, honest flood
				hostile.run(&group, th, "hostile", 500, bytes, 5*time.Second)
				synctest.Wait()
				for range 8 {
					honest.run(&group, th, "one", 2, 400, 2*time.Second)
					honest.run(&group, th, "two", 2, 400, 2*time.Second)
					time.Sleep(500 * time.Millisecond)
				}
				group.Wait()
				if honest.got.Load() != 32 {
					t.Errorf("%d of 32 turns for those who ask for little", honest.got.Load())
				}
				if hostile.ownFault.Load() == 0 || hostile.outage.Load() > 0 || hostile.got.Load() == 0 {
					t.Errorf("the flooder: %d turns, %d failures of its own, %d outages",
						hostile.got.Load(), hostile.ownFault.Load(), hostile.outage.Load())
				}
			})
		})
	}
}

// TestThrottleRefused checks that refusals slow everybody down, that the limits
// come back, and that who then gets no turn is not to blame.
func TestThrottleRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttleWith(64, 10, 100_000_000)
		for range 20 {
			th.refused(0)
			th.refused(5 * time.Minute) // of the same moment
			time.Sleep(cutEvery)
		}
		if th.factor > 1.0/8 {
			t.Fatalf("the limits are at %v", th.factor)
		}
		th.factor = th.floor
		var group sync.WaitGroup
		var f flood
		f.run(&group, th, "a", 8, 4, time.Second)
		group.Wait()
		if f.outage.Load() == 0 || f.ownFault.Load() > 0 {
			t.Errorf("%d outages, %d failures of its own", f.outage.Load(), f.ownFault.Load())
		}
		time.Sleep(40 * time.Second)
		if wait := th.expect(10); wait > 0 || th.factor != 1 {
			t.Errorf("after a while: %v for ten requests, limits at %v", wait, th.factor)
		}
	})
}

// TestThrottleCancelled checks that who leaves makes room, and that nothing is
// left behind.
func TestThrottleCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := throttleWith(1, 1, 10_000_000)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { _, _ = th.wait(ctx, "gone", 4) })
		}
		synctest.Wait()
		cancel()
		group.Wait()
		began := time.Now()
		if _, failure := th.wait(t.Context(), "gone", 4); failure != nil || time.Since(began) > 2*time.Second {
			t.Errorf("a turn after %v: %v", time.Since(began), failure)
		}
	})
}

// TestThrottleClock checks clocks that stand still, jump back and jump ahead.
func TestThrottleClock(t *testing.T) {
	th := throttleWith(10, 5, 60_000)
	now := th.seen
	for _, jump := range []time.Duration{0, -time.Hour, 365 * 24 * time.Hour, -time.Minute} {
		now = now.Add(jump)
		th.refill(now)
		if th.requests.level > 5 || th.tokens.level > th.tokens.burst || th.factor > 1 {
			t.Fatalf("after %v: %v requests, %v tokens", jump, th.requests.level, th.tokens.level)
		}
	}
}

func TestThrottleForgets(t *testing.T) {
	th := throttleWith(1000, 10, 10_000_000)
	now := time.Now()
	for i := range 10 * keptFlows {
		name := string(rune('a'+i%26)) + time.Duration(i).String()
		th.mu.Lock()
		me := th.enter(now.Add(time.Duration(i)*time.Hour), name, 1)
		th.mu.Unlock()
		th.leave(me)
	}
	if len(th.flows) > keptFlows {
		t.Errorf("%d servers are kept", len(th.flows))
	}
}
