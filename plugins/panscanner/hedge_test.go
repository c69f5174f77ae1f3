package panscanner

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// answers makes the nth request take as long and end as said.
type answers struct {
	after  time.Duration
	status int
}

func hedged(t *testing.T, c *config, script func(n int64) answers) (cl *client, calls, cancelled *atomic.Int64) {
	t.Helper()
	calls, cancelled = new(atomic.Int64), new(atomic.Int64)
	cl, problem := newClient(*c)
	if problem != nil {
		t.Fatal(problem)
	}
	cl.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		a := script(calls.Add(1))
		select {
		case <-time.After(a.after):
			return answerWith(a.status, `{"action":"allow"}`)
		case <-r.Context().Done():
			cancelled.Add(1)
			return nil, r.Context().Err()
		}
	})
	return cl, calls, cancelled
}

func TestHedge(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		script    []answers
		calls     int64
		cancelled int64
		took      time.Duration
		failure   scanner.Reason
	}{
		"fast":              {[]answers{{50 * ms, 200}}, 1, 0, 50 * ms, 0},
		"second is faster":  {[]answers{{3000 * ms, 200}, {50 * ms, 200}}, 2, 1, 150 * ms, 0},
		"first is faster":   {[]answers{{150 * ms, 200}, {3000 * ms, 200}}, 2, 1, 150 * ms, 0},
		"second fails":      {[]answers{{300 * ms, 200}, {20 * ms, 503}}, 2, 0, 300 * ms, 0},
		"first fails":       {[]answers{{150 * ms, 503}, {100 * ms, 200}}, 2, 0, 200 * ms, 0},
		"fails before":      {[]answers{{50 * ms, 400}}, 1, 0, 50 * ms, scanner.ReasonInternal},
		"refused for good":  {[]answers{{3000 * ms, 200}, {20 * ms, 403}}, 2, 1, 120 * ms, scanner.ReasonUnauthenticated},
		"both fail for now": {[]answers{{150 * ms, 500}, {100 * ms, 500}}, 2, 0, 200 * ms, scanner.ReasonUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testConfig()
				c.hedgeAfter, c.hedgePercent, c.maxRetries = 100*ms, 50, 0
				cl, calls, cancelled := hedged(t, c, func(n int64) answers { return test.script[n-1] })
				cl.hedge.calls, cl.hedge.bytes = 1, 1000
				began := time.Now()
				_, failure := cl.send(t.Context(), "files", []byte("{}"))
				took := time.Since(began)
				synctest.Wait()
				if calls.Load() != test.calls || cancelled.Load() != test.cancelled || took != test.took {
					t.Errorf("%d requests, %d cancelled, %v", calls.Load(), cancelled.Load(), took)
				}
				if test.failure == 0 && failure != nil || test.failure != 0 && (failure == nil || failure.Reason != test.failure) {
					t.Errorf("error %v", failure)
				}
			})
		})
	}
}

// TestHedgeShare checks that extra requests stay below their share when every
// answer is slow, and that there are none while others wait for their turn.
func TestHedgeShare(t *testing.T) {
	for name, test := range map[string]struct {
		after    time.Duration
		quantile float64
		rate     float64
		most     int64
	}{
		"fixed":      {10 * time.Millisecond, 0, 10_000, 20},
		"percentile": {0, 0.95, 10_000, 20},
		"no room":    {10 * time.Millisecond, 0, 0.5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testConfig()
				c.hedgeAfter, c.hedgeQuantile, c.hedgePercent, c.rate, c.burst = test.after, test.quantile, 5, test.rate, 1
				c.tokensPerMinute = 1_000_000
				cl, calls, _ := hedged(t, c, func(n int64) answers { return answers{time.Duration(100+n%7) * time.Millisecond, 200} })
				const sent = 400
				for range sent {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					if _, failure := cl.send(ctx, "files", []byte("{}")); failure != nil {
						t.Fatal(failure)
					}
					cancel()
				}
				extra := calls.Load() - sent
				if extra > test.most || test.most > 0 && extra == 0 {
					t.Errorf("%d extra requests of %d", extra, sent)
				}
			})
		})
	}
}
