package verdictcache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// flights lets who wants a verdict that somebody is already getting wait for it.
type flights struct {
	mu  sync.Mutex
	all map[Sum]*flight
}

// flight is one scan that others wait for.
type flight struct {
	done    chan struct{}
	verdict verdict.Verdict
	err     error
	// gone: who asked went away, so that the answer means nothing to others.
	gone bool
}

// board returns the flight for a key. first says that the caller has to make it
// and to land it.
func (f *flights) board(key Sum) (fl *flight, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if made, ok := f.all[key]; ok {
		return made, false
	}
	if f.all == nil {
		f.all = map[Sum]*flight{}
	}
	fl = &flight{done: make(chan struct{})}
	f.all[key] = fl
	return fl, true
}

// land ends a flight.
func (f *flights) land(key Sum, fl *flight) {
	f.mu.Lock()
	delete(f.all, key)
	f.mu.Unlock()
	close(fl.done)
}

// wait returns when the flight ends, or says why it was not waited for.
func (fl *flight) wait(ctx context.Context, end time.Time) *verdict.Failure {
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	select {
	case <-fl.done:
		return nil
	case <-ctx.Done():
	}
	reason := "cancelled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		reason = "timeout"
	}
	return &verdict.Failure{Reason: reason, Cause: verdict.CauseContent, Err: context.Cause(ctx)}
}
