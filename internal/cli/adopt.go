package cli

import (
	"context"
	"fmt"
	"reflect"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/isolation"
	"github.com/mcp-relay/relay/internal/relay"
)

// renewal has every core that was made take other settings over. The number is
// that of the servers.
type renewal func(children int, f func(*relay.Relay))

// served is a core of a pool, with the type that the pool does not know.
type served struct {
	isolation.Core

	relay *relay.Relay
}

// current returns the scanners that work now.
func (a *assembly) current() *team {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.team
}

// adopt has everything go on by another configuration, as far as that can be
// changed while the relay runs. New scanners have to be ready first: with an
// error nothing has changed. Messages in judgement keep the scanners that they
// have, which end when none is left. It must not be called twice at a time.
func (a *assembly) adopt(ctx context.Context, to *config.Config) error {
	before := a.current()
	// The scanners outlive whoever asks for them.
	next, members, err := a.startScanners(context.WithoutCancel(ctx), to, before)
	fresh := next.without(before)
	if err == nil {
		err = fresh.ready(ctx)
	}
	if err != nil {
		fresh.stop(a.log)
		return err
	}
	idle := a.gate.Swap(panel(to, members))
	servers := a.servers(to)
	if a.memory != nil {
		a.memory.SetServers(remembered(to)) // before they are listed
		a.memory.SetPolicy(driftPolicy(&to.Relay.Definitions))
	}
	a.mu.Lock()
	rejudge := !reflect.DeepEqual(a.judged, judgedBy(to))
	a.team, a.judged = next, judgedBy(to)
	a.options.Servers = servers
	a.options.CallTimeout, a.options.RelistInterval = to.Relay.CallTimeout, to.Relay.RelistInterval
	renew := a.renew
	a.mu.Unlock()
	if renew != nil {
		renew(len(servers), func(core *relay.Relay) {
			core.Reconfigure(relay.Settings{
				Servers: servers, CallTimeout: to.Relay.CallTimeout, RelistInterval: to.Relay.RelistInterval,
				Rejudge: rejudge,
			})
		})
	}
	if old := before.without(next); len(old.scanners) > 0 {
		a.leaving.Go(func() {
			<-idle
			old.stop(a.log)
		})
	}
	return nil
}

// judgedBy returns what of a configuration verdicts depend on: with another,
// what was judged once and is offered on has to be judged again.
func judgedBy(cfg *config.Config) []any {
	r := &cfg.Relay
	return []any{r.Scanners, r.AllowUnscanned, r.ScanBudget, r.Uninspected, r.Exceptions, r.AllowSelfEdit}
}

// ready waits until every scanner of the team works, and fails when one does
// not get that far.
func (t *team) ready(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, scannerWait)
	defer cancel()
	for i, s := range t.scanners {
		if err := s.Ready(ctx); err != nil {
			return fmt.Errorf("the scanners stay as they were: %w", err)
		}
		if err := phasesFit(&t.configured[i], s.Info()); err != nil {
			return err
		}
	}
	return nil
}

// soleCore makes the core for the one client of a relay on standard input.
func (a *assembly) soleCore() *relay.Relay {
	a.mu.Lock()
	defer a.mu.Unlock()
	core := a.newCore(true)
	a.renew = func(_ int, f func(*relay.Relay)) { f(core) }
	return core
}

// pool makes the pool of cores for clients over HTTP. It is not started.
func (a *assembly) pool(o isolation.Options) *isolation.Pool {
	a.mu.Lock()
	defer a.mu.Unlock()
	o.Children = len(a.options.Servers)
	o.New = func(string) isolation.Core {
		core := a.core(false)
		return served{isolation.Of(core), core}
	}
	pool := isolation.New(o)
	a.renew = func(children int, f func(*relay.Relay)) {
		pool.Renew(children, func(c isolation.Core) {
			if s, ok := c.(served); ok {
				f(s.relay)
			}
		})
	}
	return pool
}
