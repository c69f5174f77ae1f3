package scanner

import (
	"context"
	"sync"
)

// admission decides whether a scan may run now. It counts slots on this side
// too, because a scan that ignores its cancelled context still occupies the
// process after the relay has given up on it.
type admission struct {
	slots   chan struct{} // nil: no limit
	running sync.WaitGroup

	mu         sync.Mutex // guards the fields below, and running.Add against drain
	configured bool
	draining   bool
}

func newAdmission(maxConcurrent int, configured bool) *admission {
	a := &admission{configured: configured}
	if maxConcurrent > 0 {
		a.slots = make(chan struct{}, maxConcurrent)
	}
	return a
}

// enter waits for a slot. When it returns no error, leave must be called once.
func (a *admission) enter(ctx context.Context) (leave func(), err error) {
	if err := a.register(); err != nil {
		return nil, err
	}
	if a.slots == nil {
		return a.running.Done, nil
	}
	select {
	case a.slots <- struct{}{}:
		return func() { <-a.slots; a.running.Done() }, nil
	case <-ctx.Done():
		a.running.Done()
		return nil, &Error{Reason: ReasonTimeout, Message: "no slot became free in time"}
	}
}

func (a *admission) register() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.draining:
		return &Error{Reason: ReasonUnavailable, Message: "the scanner is draining"}
	case !a.configured:
		return &Error{Reason: ReasonNotConfigured, Message: "the scanner waits for its configuration"}
	}
	a.running.Add(1)
	return nil
}

// ready reports whether enter would let a scan in.
func (a *admission) ready() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.configured && !a.draining
}

func (a *admission) setConfigured() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.configured = true
}

// drain refuses new scans from now on and waits for those that run.
func (a *admission) drain(ctx context.Context) error {
	a.mu.Lock()
	a.draining = true
	a.mu.Unlock()

	idle := make(chan struct{})
	go func() {
		a.running.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return &Error{Reason: ReasonTimeout, Message: "scans were still running when draining had to end"}
	}
}
