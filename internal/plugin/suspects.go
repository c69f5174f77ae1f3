package plugin

import (
	"context"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// aloneIdle is how long the process for suspects waits for the next one.
const aloneIdle = 30 * time.Second

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
	if err := sc.account.cell.slots.acquire(ctx, &sc.account.alone); err != nil {
		return verdict.Verdict{}, waitFailure(ctx, ReasonOverloaded, verdict.CauseContent)
	}
	defer sc.account.cell.slots.release(&sc.account.alone)
	g, f := sc.account.cell.enter(ctx)
	if f != nil {
		f.Cause = verdict.CauseContent
		return verdict.Verdict{}, f
	}
	v, f, o := s.call(ctx, g, sc.c)
	switch {
	case o == crashed:
		s.ledger.set(s.ledger.key(sc.c), convicted)
		sc.account.charge(time.Now(), pointsGuilty)
		sc.account.cell.renew()
	case o == success && s.ledger.standing(sc.c) == suspected:
		s.ledger.set(s.ledger.key(sc.c), innocent)
		sc.account.charge(time.Now(), -pointsPresent)
	default:
	}
	return v, f
}

// cell is the process in which the suspects of one server are judged, one at a time.
// It is started when it is needed and ended when it was not for a while. Each server
// has its own: in one for all, a server whose content hangs would keep those of
// the others from ever being cleared.
type cell struct {
	slots slots
	start func(context.Context) (*generation, error)
	keep  *sync.WaitGroup // counts what runs in the background

	mu      sync.Mutex
	current *attempt // nil: none
	closed  bool
	idle    *time.Timer
	ctx     context.Context //nolint:containedctx // the supervisor's life, under which the cell starts
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
		c.drop(at)
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
		at := &attempt{done: make(chan struct{})}
		c.keep.Go(func() {
			at.generation, at.err = c.start(c.ctx)
			close(at.done)
		})
		c.current = at
	}
	at := c.current
	c.idle = time.AfterFunc(aloneIdle, func() { c.drop(at) })
	return at
}

// drop ends a start, or its process, in the background. Scans in it are let
// finish.
func (c *cell) drop(at *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at == nil || c.current != at {
		return
	}
	c.current = nil
	c.keep.Go(func() {
		<-at.done
		if at.err == nil {
			at.generation.retire(c.ctx)
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
func (c *cell) renew() {
	c.mu.Lock()
	at := c.current
	if c.idle != nil {
		c.idle.Stop()
	}
	c.mu.Unlock()
	c.drop(at)
}
