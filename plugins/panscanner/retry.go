package panscanner

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

const (
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 2 * time.Second
	// leastUseful is how much time must be left after a wait for another attempt
	// to be worth it: no published round trip is shorter.
	leastUseful = 50 * time.Millisecond
)

// send posts body until it is answered, the attempts are used up, or the
// deadline leaves no room for another. Asking twice is safe: a scan changes
// nothing at the service.
func (c *client) send(ctx context.Context, body []byte) ([]byte, *scanner.Error) {
	for n := 0; ; n++ {
		answer, retry, failure := c.attempt(ctx, body)
		if failure == nil {
			return answer, nil
		}
		if !retry || n >= c.retries || !pause(ctx, backoff(n, failure.RetryAfter)) {
			return nil, failure
		}
	}
}

// backoff returns how long to wait after attempt n: what the service asked for,
// or full jitter over a doubling range.
func backoff(n int, asked time.Duration) time.Duration {
	if asked > 0 {
		return asked + rand.N(firstBackoff) //nolint:gosec // spreads load, guards nothing
	}
	top := min(lastBackoff, firstBackoff<<min(n, 10))
	return 1 + rand.N(top) //nolint:gosec // spreads load, guards nothing
}

// pause waits for d unless ctx would leave too little time afterwards. Without
// a deadline it waits no longer than a backoff would.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); !ok && d > lastBackoff || ok && time.Until(deadline) < d+leastUseful {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
