package panscanner

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// flights lets scans of identical content that are under way at the same time
// share one request. Identical is everything that the service is told but the ids
// of session and call: the event with its server and tool, the profile, the
// metadata with the user. The answer then stands in the service's records under
// the ids of whoever asked first.
type flights struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]*flight
}

// flight is one request, with its retries, on behalf of all who wait for it.
type flight struct {
	deadline time.Time
	riders   int // guarded by flights.mu
	cancel   context.CancelFunc
	done     chan struct{}
	answer   []byte // after done is closed
	failure  *scanner.Error
}

// ask returns the answer of ask, or that of somebody who asks the same just now.
// Who gives up leaves the others their answer; the request is cancelled when
// nobody waits for it any more.
func (s *flights) ask(
	ctx context.Context, key [sha256.Size]byte, ask func(context.Context) ([]byte, *scanner.Error),
) ([]byte, *scanner.Error) {
	deadline := soon(ctx)
	for {
		f, mine := s.board(ctx, key, deadline, ask)
		select {
		case <-f.done:
		case <-ctx.Done():
			s.alight(key, f)
			return nil, unanswered()
		}
		// One with less time may have failed for want of it.
		if mine || f.failure == nil || ctx.Err() != nil || deadline.Sub(f.deadline) < leastUseful {
			return f.answer, f.failure
		}
	}
}

// board joins the flight for key, or starts one that ends at deadline.
func (s *flights) board(
	ctx context.Context, key [sha256.Size]byte, deadline time.Time, ask func(context.Context) ([]byte, *scanner.Error),
) (f *flight, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f = s.open[key]; f != nil {
		f.riders++
		return f, false
	}
	own, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	f = &flight{deadline: deadline, riders: 1, cancel: cancel, done: make(chan struct{})}
	if s.open == nil {
		s.open = map[[sha256.Size]byte]*flight{}
	}
	s.open[key] = f
	go s.fly(own, key, f, ask)
	return f, true
}

// fly asks, and ends the flight.
func (s *flights) fly(ctx context.Context, key [sha256.Size]byte, f *flight, ask func(context.Context) ([]byte, *scanner.Error)) {
	defer f.cancel()
	f.answer, f.failure = ask(ctx)
	s.mu.Lock()
	if s.open[key] == f { // nobody joins what has ended
		delete(s.open, key)
	}
	s.mu.Unlock()
	close(f.done)
}

// alight leaves a flight. Without riders it is cancelled and nobody joins it.
func (s *flights) alight(key [sha256.Size]byte, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.riders--; f.riders == 0 {
		f.cancel()
		if s.open[key] == f {
			delete(s.open, key)
		}
	}
}

// soon returns when to give up, so that whoever asked still hears why: after the
// deadline the relay only knows that there was no answer.
func soon(ctx context.Context) time.Time {
	const margin, part = 25 * time.Millisecond, 20
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Now().Add(longestWait)
	}
	return deadline.Add(-max(0, min(margin, time.Until(deadline)/part)))
}

func unanswered() *scanner.Error {
	return &scanner.Error{
		Reason: scanner.ReasonTimeout, ContentCaused: true,
		Message: "Prisma AIRS did not answer in time",
	}
}
