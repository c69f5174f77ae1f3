package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/control"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/relay"
)

// reloader has a running relay go on by the configuration file as it is now.
// What it protects may write files. So a change that somebody did not type a yes
// to is taken over only when all of it is harmless: else nothing of it is, and
// the relay says what waits.
type reloader struct {
	read  func() (*config.Config, error)
	adopt func(ctx context.Context, to *config.Config) error
	audit relay.Recorder
	log   *slog.Logger
	since time.Time

	mu      sync.Mutex     // held while a file is looked at and taken over
	running *config.Config // by which the relay goes; to replace it takes state too
	told    string         // what was last said about a file that was not taken over

	state   sync.Mutex
	reloads int
}

var _ control.Relay = (*reloader)(nil)

// errAnother says that there is no yes to the file as it is.
var errAnother = errors.New("the file has changed since it was shown: run relay reload --accept again")

// look reads the file and takes it over if that harms nobody.
func (r *reloader) look(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, changes, err := r.compare()
	if err != nil {
		r.say(err.Error(), func() {
			r.log.Error("the configuration file cannot be used; the relay goes on by the one before", slog.Any("error", err))
			r.record("", "unusable", held)
		})
		return
	}
	if len(changes) == 0 {
		r.told = ""
		return
	}
	grave := false
	for _, c := range changes {
		grave = grave || c.Effect != config.Harmless
	}
	if grave {
		r.say(next.Digest, func() {
			r.tell(changes, held)
			r.log.Warn("nothing of the changed configuration file is taken over",
				slog.String("hint", "relay reload --accept, typed on a terminal, takes it over; so does a restart"))
		})
		return
	}
	if err := r.take(ctx, next); err != nil {
		r.say(next.Digest, func() {
			r.log.Error("the changed configuration file cannot be taken over; the relay goes on by the one before", slog.Any("error", err))
		})
		return
	}
	r.told = ""
	r.tell(changes, "applied")
	r.log.Info("took the changed configuration file over")
}

// say says something about a file once. r.mu is held.
func (r *reloader) say(about string, how func()) {
	if r.told != about {
		how()
	}
	r.told = about
}

// held is the outcome of what is not taken over.
const held = "held"

// tell logs and records changes: where, and never what.
func (r *reloader) tell(changes []config.Change, outcome string) {
	for _, c := range changes {
		r.log.Info("changed in the configuration file", slog.String("target", c.Path),
			slog.String("kind", c.Effect.String()), slog.String("status", outcome))
		r.record(c.Path, c.Effect.String(), outcome)
	}
}

func (r *reloader) record(target, reason, outcome string) {
	if err := r.audit.Write(&audit.Record{Event: audit.Config, Target: target, Reason: reason, Outcome: outcome}); err != nil {
		r.log.Error("a change of the configuration file is not in the record", slog.Any("error", err))
	}
}

// compare reads the file and compares it with what the relay goes by. r.mu is
// held.
func (r *reloader) compare() (*config.Config, []config.Change, error) {
	next, err := r.read()
	if err == nil {
		err = runnable(next)
	}
	if err != nil {
		return nil, nil, err
	}
	return next, config.Compare(r.running, next), nil
}

// take has the relay go on by a configuration. r.mu is held.
func (r *reloader) take(ctx context.Context, next *config.Config) error {
	next = config.Settle(r.running, next)
	if err := r.adopt(ctx, next); err != nil {
		return err
	}
	warn(r.log, next.Warnings)
	r.state.Lock()
	r.running = next
	r.reloads++
	r.state.Unlock()
	return nil
}

// watching reports whether changes of the file are to be looked at.
func (r *reloader) watching() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running.Relay.Watch
}

// Status implements control.Relay.
func (r *reloader) Status() control.Status {
	r.state.Lock()
	defer r.state.Unlock()
	return control.Status{
		PID: os.Getpid(), Version: programVersion(), Config: r.running.Path, Since: r.since, Reloads: r.reloads,
	}
}

// Pending implements control.Relay.
func (r *reloader) Pending(context.Context) (control.Pending, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, changes, err := r.compare()
	if err != nil {
		return control.Pending{Problems: []string{lines(err.Error())}}, nil
	}
	return pending(next, changes), nil
}

func pending(next *config.Config, changes []config.Change) control.Pending {
	p := control.Pending{Digest: next.Digest, Changes: []control.Change{}}
	for _, c := range changes {
		p.Changes = append(p.Changes, control.Change{Path: printable.String(c.Path), Effect: c.Effect.String()})
	}
	return p
}

// Reload implements control.Relay. The digest is of what a person saw.
func (r *reloader) Reload(ctx context.Context, digest string) (control.Pending, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, changes, err := r.compare()
	if err != nil {
		return control.Pending{}, err
	}
	if next.Digest != digest {
		return control.Pending{}, errAnother
	}
	if err := r.take(ctx, next); err != nil {
		return control.Pending{}, err
	}
	for _, c := range changes {
		outcome := "accepted"
		if c.Effect == config.Restart {
			outcome = held
		}
		r.tell([]config.Change{c}, outcome)
	}
	r.log.Info("took the changed configuration file over, as somebody accepted")
	rest := config.Compare(r.running, next)
	r.told = next.Digest // what needs a restart was said
	return pending(next, rest), nil
}
