package plugin

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// errEnded says that a scanner ended without anybody asking.
var errEnded = errors.New("the scanner ended")

// set publishes a snapshot and wakes those who wait for one.
func (s *Supervisor) set(next snapshot) {
	next.changed = make(chan struct{})
	if previous := s.status.Swap(&next); previous != nil {
		close(previous.changed)
	}
}

// run owns the state until the supervisor is stopped.
func (s *Supervisor) run() {
	defer close(s.stopped)
	defer s.cancel()
	var (
		pauses restarts
		next   *generation
		err    error
	)
	sweep(s.spec.RunDir)
	for s.ctx.Err() == nil {
		g := next
		if g == nil {
			s.set(snapshot{state: Starting, err: err})
			configuring := func() { s.set(snapshot{state: Configuring, err: err}) }
			if g, err = s.prepare(s.ctx, *s.config.Load(), configuring); err != nil {
				next = s.pause(&pauses, err, true)
				continue
			}
			s.open(g)
		}
		if next = s.attend(g, &pauses); next == nil && s.ctx.Err() == nil {
			err = errors.Join(errEnded, g.proc.ExitError())
			next = s.pause(&pauses, err, g.crowd == 0)
		}
	}
	if next != nil {
		next.kill()
	}
	s.cells.close()
	s.background.Wait()
	s.set(snapshot{state: Stopped})
}

// open lets scans into a generation.
func (s *Supervisor) open(g *generation) {
	limit := s.spec.MaxConcurrent
	if g.info.MaxConcurrent > 0 {
		limit = min(limit, g.info.MaxConcurrent)
	}
	s.slots.resize(limit)
	if previous := s.latest.Swap(g); previous != nil && previous.digest != g.digest {
		s.ledger.forget()
	}
	s.set(snapshot{state: Ready, generation: g})
	s.log.Info("scanner is ready", "sha256", g.digest, "sandbox", g.info.Sandbox)
	if g.info.Sandbox == unconfineable && runtime.GOOS == "linux" && !s.warned {
		s.warned = true
		s.log.Warn("scanner is not confined: this kernel has no Landlock")
	}
}

// attend serves with an open generation until it ends, is replaced or is to
// stop. It returns the replacement, if there is one; that is open already.
func (s *Supervisor) attend(g *generation, pauses *restarts) *generation {
	calm := time.NewTimer(calmAfter)
	defer calm.Stop()
	for {
		select {
		case <-g.ended:
			s.log.Warn("scanner ended", "error", g.proc.ExitError(), "scans", g.crowd)
			s.set(snapshot{state: Backoff, err: errEnded})
			s.background.Go(g.kill)
			return nil
		case <-calm.C:
			pauses.calm()
		case n := <-s.swap:
			s.replace(n, pauses)
			s.background.Go(func() { g.retire(s.ctx) })
			return n.generation
		case <-s.ctx.Done():
			s.set(snapshot{state: Draining})
			g.retire(s.end())
			return nil
		}
	}
}

// pause waits before the next start, or for ever when there is to be none. It
// returns a replacement that came meanwhile, if any.
func (s *Supervisor) pause(pauses *restarts, err error, counts bool) *generation {
	if s.ctx.Err() != nil {
		return nil
	}
	wait, again := pauses.next(time.Now(), counts)
	var timer <-chan time.Time
	hopeless := permanent(err) || s.latest.Load() == nil && unstartable(err)
	if again && !hopeless {
		s.log.Warn("scanner is started again", "error", err, "pause", wait)
		s.set(snapshot{state: Backoff, err: err})
		timer = time.After(wait)
	} else {
		s.log.Error("scanner is given up", "error", err)
		s.set(snapshot{state: Failed, err: err})
	}
	select {
	case <-timer:
		return nil
	case n := <-s.swap:
		s.replace(n, pauses)
		return n.generation
	case <-s.ctx.Done():
		return nil
	}
}

// replace takes note of what a replacement changes and opens it for scans.
func (s *Supervisor) replace(n successor, pauses *restarts) {
	s.open(n.generation)
	s.config.Store(&n.config)
	s.ledger.forget()
	s.cells.renew()
	pauses.renew()
	close(n.taken)
}

// end returns the context that bounds an orderly end.
func (s *Supervisor) end() context.Context {
	if ctx := s.farewell.Load(); ctx != nil {
		return *ctx
	}
	return context.WithoutCancel(s.ctx)
}
