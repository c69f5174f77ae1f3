package panscanner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// TestStorm has the service refuse what is above 20 requests a second, while the
// configuration takes it for 200 and many scans run: scans end in time, with a
// verdict or as rate limited, refusals get fewer, and when the storm is over scans
// pass again.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := defaults()
		c.apiKey, c.rate, c.burst = "k", 200, 50
		cl, problem := newClient(c)
		if problem != nil {
			t.Fatal(problem)
		}
		var mu sync.Mutex
		limit := bucket{rate: 20, burst: 5, level: 5}
		last := time.Now()
		var refused atomic.Int64
		cl.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			limit.fill(time.Since(last).Seconds())
			last = time.Now()
			ok := limit.level >= 1
			if ok {
				limit.level--
			}
			mu.Unlock()
			if !ok {
				refused.Add(1)
				return answerWith(http.StatusTooManyRequests, `{"fault":{"faultstring":"quota"}}`)
			}
			select {
			case <-time.After(150 * time.Millisecond):
				return answerWith(http.StatusOK, `{"action":"allow","category":"benign"}`)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		s := &airs{}
		s.state.Store(&state{config: c, client: cl})

		var passed, limited [10]atomic.Int64
		var group sync.WaitGroup
		for second := range 10 {
			for i := range 40 { // twice what the service takes
				group.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					defer cancel()
					_, err := s.Scan(ctx, scanner.Content{
						Phase: scanner.PhaseResponse, Kind: scanner.KindJSON, Data: fmt.Appendf(nil, `{"a":"%d/%d"}`, second, i),
						Origin: scanner.Origin{Server: fmt.Sprintf("server-%d", i%4)},
					})
					var e *scanner.Error
					switch {
					case err == nil:
						passed[second].Add(1)
					case errors.As(err, &e) && e.Reason == scanner.ReasonRateLimited:
						limited[second].Add(1)
					default:
						t.Errorf("%v", err)
					}
				})
			}
			time.Sleep(time.Second)
		}
		group.Wait()
		var all, late int64
		for i := range passed {
			if all += passed[i].Load(); i >= 5 {
				late += passed[i].Load()
			}
		}
		t.Logf("%d passed, %d in the second half, %d refusals", all, late, refused.Load())
		if late < 60 || refused.Load() > 3*all {
			t.Errorf("%d passed, %d in the second half, %d refusals", all, late, refused.Load())
		}
		time.Sleep(30 * time.Second)
		before := refused.Load()
		if _, err := s.Scan(t.Context(), scanner.Content{Phase: scanner.PhaseResponse, Kind: scanner.KindText, Data: []byte("x")}); err != nil || refused.Load() > before {
			t.Errorf("after the storm: %v", err)
		}
	})
}
