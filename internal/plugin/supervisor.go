package plugin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/scanner/handshake"
)

// Supervisor keeps one scanner running and gives it content. Its methods may be
// called by many goroutines at once.
type Supervisor struct {
	spec   Spec
	warden *process.Warden
	log    *slog.Logger
	ledger *ledger
	cells  *cells
	slots  slots
	said   vouched

	warned bool                            // that it is not confined; run's own
	status atomic.Pointer[snapshot]        // written by run only
	config atomic.Pointer[json.RawMessage] // written by run only
	latest atomic.Pointer[generation]      // the last that was ready
	tag    string                          // begins the ids of scans
	scans  atomic.Uint64

	reconfiguring sync.Mutex
	swap          chan successor
	background    sync.WaitGroup // ends before run does

	ctx      context.Context //nolint:containedctx // the life of the supervisor
	cancel   context.CancelFunc
	farewell atomic.Pointer[context.Context] // bounds the orderly end
	stopped  chan struct{}
}

// successor is a generation that is to take over, and the configuration it has.
type successor struct {
	generation *generation
	config     json.RawMessage
	taken      chan struct{} // closed when it has taken over
}

// Start begins to run the scanner that spec describes and returns at once; Ready
// waits for it. The error is about the spec only. Cancelling ctx is like Stop.
// The warden sees to it that the scanner ends with the relay.
func Start(ctx context.Context, spec Spec, w *process.Warden, log *slog.Logger) (*Supervisor, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	s := &Supervisor{
		spec: spec, warden: w, log: log.With("scanner", spec.Name),
		slots: slots{limit: spec.MaxConcurrent}, tag: strings.ToLower(rand.Text()[:8]) + "-",
		swap: make(chan successor), stopped: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.ledger, s.cells = newLedger(), newCells(s.ctx, s.start, &s.background)
	s.config.Store(&spec.Config)
	s.set(snapshot{state: Starting})
	go s.run()
	return s, nil
}

// Describe starts the scanner without configuring it, asks what it is and stops
// it again.
func Describe(ctx context.Context, spec Spec, w *process.Warden, log *slog.Logger) (Info, error) {
	if err := spec.check(); err != nil {
		return Info{}, err
	}
	g, err := newGeneration(ctx, &spec, &vouched{}, w, log.With("scanner", spec.Name))
	if err != nil {
		return Info{}, err
	}
	g.retire(ctx)
	return g.info, nil
}

// State returns the state at this moment.
func (s *Supervisor) State() State { return s.status.Load().state }

// Info returns what the scanner said about itself when it was last ready.
func (s *Supervisor) Info() Info {
	if g := s.latest.Load(); g != nil {
		return g.info
	}
	return Info{}
}

// Digest returns the SHA-256 of the program that was last ready, in hexadecimal,
// or "" before that.
func (s *Supervisor) Digest() string {
	if g := s.latest.Load(); g != nil {
		return g.digest
	}
	return ""
}

// Ready waits until the scanner takes scans. It fails at once when the scanner
// was stopped or given up, and otherwise when ctx ends, with the reason of the
// last failed start.
func (s *Supervisor) Ready(ctx context.Context) error {
	for {
		now := s.status.Load()
		if now.state == Ready {
			return nil
		}
		if now.state.final() {
			return now.reason()
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return fmt.Errorf("scanner %q is %s: %w", s.spec.Name, now.state, errors.Join(ctx.Err(), now.err))
		}
	}
}

// Reconfigure starts the scanner anew with another configuration beside the one
// that runs, and puts it in its place once it is ready. When it does not get that
// far, the old one stays and the error says why. A scanner that was given up gets
// another chance.
func (s *Supervisor) Reconfigure(ctx context.Context, config json.RawMessage) error {
	if len(config) > handshake.MaxConfig {
		return errors.New("the configuration is larger than 1 MiB")
	}
	s.reconfiguring.Lock()
	defer s.reconfiguring.Unlock()
	g, err := s.prepare(ctx, config, func() {})
	if err != nil {
		return err
	}
	n := successor{generation: g, config: config, taken: make(chan struct{})}
	select {
	case s.swap <- n:
		<-n.taken
		return nil
	case <-s.ctx.Done():
		err = ErrStopped
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.kill()
	return err
}

// Stop refuses new scans, waits for those in flight, lets the scanner flush and
// ends it. When ctx ends first, the process is ended at once; either way it is
// gone when Stop returns nil.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.farewell.CompareAndSwap(nil, &ctx)
	s.cancel()
	select {
	case <-s.stopped:
		return nil
	case <-time.After(3*drainTimeout + configureTimeout):
		return fmt.Errorf("scanner %q does not end", s.spec.Name)
	}
}

// start starts and configures a generation with the configuration in force.
func (s *Supervisor) start(ctx context.Context) (*generation, error) {
	return s.prepare(ctx, *s.config.Load(), func() {})
}

// prepare starts a generation, calls started and configures it.
func (s *Supervisor) prepare(ctx context.Context, config json.RawMessage, started func()) (*generation, error) {
	g, err := newGeneration(ctx, &s.spec, &s.said, s.warden, s.log)
	if err != nil {
		return nil, err
	}
	started()
	if err := g.configure(ctx, config); err != nil {
		g.kill()
		return nil, &StartError{Scanner: s.spec.Name, Err: err, Stderr: g.child.lastWords()}
	}
	return g, nil
}
