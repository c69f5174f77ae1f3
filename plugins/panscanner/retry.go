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

// send posts body on behalf of a server until it is answered, the attempts are
// used up, or the deadline leaves no room for another. Each attempt waits for its
// turn. Asking twice is safe: a scan changes nothing at the service.
func (c *client) send(ctx context.Context, server string, body []byte) ([]byte, *scanner.Error) {
	began := time.Now()
	var limited *scanner.Error // what took most of the time, instead of this content
	for n := 0; ; n++ {
		turn, failure := c.throttle.wait(ctx, server, len(body))
		if failure != nil {
			return nil, failure
		}
		if deadline, ok := ctx.Deadline(); ok && turn.waited > deadline.Sub(began)/2 {
			limited = c.throttle.late(turn)
		}
		r := c.attempt(ctx, body)
		switch {
		case r.failure == nil:
			return r.answer, nil
		case r.failure.Reason == scanner.ReasonRateLimited:
			limited = r.failure
		case r.failure.Reason == scanner.ReasonTimeout && limited != nil:
			return nil, limited
		default:
		}
		if !r.retry || n >= c.retries || !pause(ctx, backoff(n, r.failure.RetryAfter)) {
			return nil, r.failure
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
