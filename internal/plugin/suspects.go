package plugin

import (
	"context"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

const (
	// aloneIdle is how long a process for suspects waits for the next one.
	aloneIdle = 30 * time.Second
	// evictTime is how long the process of one server may take to end when that
	// of another is to start in its place; content may have it hang.
	evictTime = time.Second
)

// afterCrash decides what becomes of a content that was in the scanner when it
// ended. Alone, it is convicted. In company it is a suspect, and judged again
// alone if enough of its time is left; otherwise when it comes back.
func (s *Supervisor) afterCrash(ctx context.Context, sc *scan, f *verdict.Failure) (verdict.Verdict, *verdict.Failure) {
	now := time.Now()
	if sc.crowd <= 1 {
		s.ledger.set(s.ledger.key(sc.c), convicted)
		sc.account.charge(now, pointsGuilty)
		return verdict.Verdict{}, f
	}
	s.ledger.set(s.ledger.key(sc.c), suspected)
	sc.account.charge(now, pointsPresent)
	if 100*sc.end.Sub(now) < retryShare*sc.end.Sub(sc.start) {
		return verdict.Verdict{}, f
	}
	return s.alone(ctx, sc)
}

// alone judges a content in the process for suspects, where nothing else is in
// the scanner, so that its end has one explanation.
func (s *Supervisor) alone(ctx context.Context, sc *scan) (verdict.Verdict, *verdict.Failure) {
	cell, release, err := s.cells.acquire(ctx, sc.account, sc.account.points(time.Now()) >= pointsSolo)
	if err != nil {
		return verdict.Verdict{}, waitFailure(ctx, ReasonOverloaded, verdict.CauseContent)
	}
	defer release()
	g, f := cell.enter(ctx)
	if f != nil {
		f.Cause = verdict.CauseContent
		return verdict.Verdict{}, f
	}
	v, f, o := s.call(ctx, g, sc.c)
	switch {
	case o == crashed:
		s.ledger.set(s.ledger.key(sc.c), convicted)
		sc.account.charge(time.Now(), pointsGuilty)
		cell.renew()
	case o == success && s.ledger.standing(sc.c) == suspected:
		s.ledger.set(s.ledger.key(sc.c), innocent)
		sc.account.charge(time.Now(), -pointsPresent)
	default:
	}
	return v, f
}

// cell is where the suspects of one server are judged, one at a time: a process
// that is started when it is needed and ended when it was not for a while, or
// when another server needs the cell. No two servers meet in one process: whose
// content hangs there would keep those of the others from ever being cleared.
type cell struct {
	start func(context.Context) (*generation, error)
	keep  *sync.WaitGroup // counts what runs in the background
	ctx   context.Context //nolint:containedctx // the supervisor's life, under which processes start

	// These belong to the mutex of all cells.
	tenant *account // the server that has it, or had it last
	busy   bool
	used   uint64 // when it was last, in uses

	mu      sync.Mutex
	current *attempt        // nil: none
	gone    <-chan struct{} // closed when the process before the next has ended; nil: there was none
	closed  bool
	idle    *time.Timer
}

// attempt is a start that may still be going on. The fields after done are set
// before it is closed.
type attempt struct {
	done       chan struct{}
	generation *generation
	err        error
}

// enter waits until the cell runs and counts a scan in.
func (c *cell) enter(ctx context.Context) (*generation, *verdict.Failure) {
	for {
		at := c.attempt()
		if at == nil {
			return nil, outageFailure(ReasonUnavailable, ErrStopped)
		}
		select {
		case <-at.done:
		case <-ctx.Done():
			return nil, waitFailure(ctx, ReasonUnavailable, verdict.CauseContent)
		}
		if at.err == nil && at.generation.enter() {
			return at.generation, nil
		}
		c.drop(at, leisure)
		if at.err != nil {
			return nil, outageFailure(ReasonUnavailable, at.err)
		}
	}
}

// attempt returns the running start, or begins one, or returns nil when the cell
// is closed. A start goes on when the scan that asked for it has no time left:
// the next one finds it.
func (c *cell) attempt() *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	if c.idle != nil {
		c.idle.Stop()
	}
	if c.current == nil {
		at, before := &attempt{done: make(chan struct{})}, c.gone
		c.keep.Go(func() {
			if before != nil {
				<-before // or there would be two
			}
			at.generation, at.err = c.start(c.ctx)
			close(at.done)
		})
		c.current = at
	}
	at := c.current
	c.idle = time.AfterFunc(aloneIdle, func() { c.drop(at, leisure) })
	return at
}

// leisure is as long as a process takes to end in order.
const leisure = 2 * drainTimeout

// drop ends a start, or its process, in the background. Scans in it are let
// finish, within the given time.
func (c *cell) drop(at *attempt, within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at == nil || c.current != at {
		return
	}
	gone := make(chan struct{})
	c.current, c.gone = nil, gone
	c.keep.Go(func() {
		defer close(gone)
		<-at.done
		if at.err == nil {
			ctx, cancel := context.WithTimeout(c.ctx, within)
			defer cancel()
			at.generation.retire(ctx)
		}
	})
}

// close ends the process, and lets no other start.
func (c *cell) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.renew()
}

// renew sees to it that the next suspect meets a new process.
func (c *cell) renew() { c.end(leisure) }

// evict is renew for when the next suspect is another server's, and waits.
func (c *cell) evict() { c.end(evictTime) }

func (c *cell) end(within time.Duration) {
	c.mu.Lock()
	at := c.current
	if c.idle != nil {
		c.idle.Stop()
	}
	c.mu.Unlock()
	c.drop(at, within)
}
