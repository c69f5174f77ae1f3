package panscanner

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

const (
	samples       = 128 // latest answers that a percentile is taken of
	leastSamples  = 20
	shortestHedge = 10 * time.Millisecond
	mostCredit    = 10 // hedges in a row after a long quiet time
)

// hedge decides when a second request is sent because the first is slow, and
// keeps the extra requests and their bytes below a share of all. A second request
// is billed like any other, hence the share.
type hedge struct {
	after    time.Duration // fixed; 0: by percentile
	quantile float64       // 0: fixed
	share    float64

	mu    sync.Mutex
	calls float64 // extra calls and bytes that may be made
	bytes float64
	taken [samples]time.Duration
	n     int // answers seen
}

func newHedge(c *config) *hedge {
	if c.hedgeAfter == 0 && c.hedgeQuantile == 0 {
		return nil
	}
	return &hedge{after: c.hedgeAfter, quantile: c.hedgeQuantile, share: float64(c.hedgePercent) / 100}
}

// delay takes note of a request of so many bytes and returns how long to wait for
// its answer before another is sent; false: there will be none.
func (h *hedge) delay(bytes int) (time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = min(mostCredit, h.calls+h.share)
	h.bytes = min(mostCredit*maxBody, h.bytes+h.share*float64(bytes))
	if h.quantile == 0 {
		return h.after, true
	}
	if h.n < leastSamples {
		return 0, false
	}
	sorted := slices.Clone(h.taken[:min(h.n, samples)])
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(h.quantile*float64(len(sorted))))], true
}

// spend reports whether another request of so many bytes is within the share.
func (h *hedge) spend(bytes int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls < 1 || h.bytes < float64(bytes) {
		return false
	}
	h.calls--
	h.bytes -= float64(bytes)
	return true
}

// answered takes note of how long an answer took.
func (h *hedge) answered(took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken[h.n%samples] = took
	h.n++
}

// reply is the outcome of one attempt.
type reply struct {
	answer  []byte
	retry   bool
	failure *scanner.Error
}

// attempt sends body once, or twice when the answer is slow and that is allowed.
// The first answer counts, and the other request is cancelled.
func (c *client) attempt(ctx context.Context, body []byte) reply {
	if c.hedge == nil {
		return c.post(ctx, c.url, body)
	}
	after, ok := c.hedge.delay(len(body))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := make(chan reply, 2)
	ask := func() {
		began := time.Now()
		r := c.post(ctx, c.url, body)
		if r.failure == nil {
			c.hedge.answered(time.Since(began))
		}
		replies <- r
	}
	go ask()
	var slow <-chan time.Time
	if ok {
		timer := time.NewTimer(after)
		defer timer.Stop()
		slow = timer.C
	}
	for open := 1; ; {
		select {
		case <-slow:
			if slow = nil; c.hedge.spend(len(body)) && c.throttle.spare(len(body)) {
				open++
				go ask()
			}
		case r := <-replies:
			// One that may be tried again waits for the other, which is under way.
			if open--; r.failure == nil || !r.retry || open == 0 {
				return r
			}
			slow = nil
		}
	}
}
