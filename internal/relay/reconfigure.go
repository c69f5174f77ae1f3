package relay

import (
	"cmp"
	"log/slog"
	"math"
	"time"
)

// Settings are what of Options may change while a relay runs.
type Settings struct {
	Servers        []Server // in configuration order
	CallTimeout    time.Duration
	RelistInterval time.Duration
	// Rejudge has what servers offer judged again, without calls having to wait:
	// the gate has another panel.
	Rejudge bool
}

// leaveGrace is how long a server that is configured no more may take to answer
// the calls that it has.
const leaveGrace = 30 * time.Second

// Reconfigure replaces the servers. One that has the name and the Revision of
// one before goes on undisturbed. What the others offered is taken away at once,
// and they take no more calls; those in flight have half a minute. Calls that
// are judged meanwhile go to the server that takes the place of the one they
// were for, and are never sent twice. It does not wait for new servers.
func (r *Relay) Reconfigure(to Settings) {
	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	if r.closing.Load() {
		return
	}
	r.callTimeout.Store(int64(to.CallTimeout))
	r.relistInterval.Store(int64(to.RelistInterval))
	if to.Rejudge {
		r.verdicts.Add(1)
	}
	before := r.roster.Load()
	stays := map[*server]bool{}
	var all, fresh []*server
	var renewed []string
	for i := range to.Servers {
		c := &to.Servers[i]
		s := before.byName[c.Name]
		if s != nil && s.cfg.Revision == c.Revision {
			stays[s] = true
			s.deadlines.limit.Store(int64(cmp.Or(c.CallTimeout, to.CallTimeout)))
			wake(s.retime)
		} else {
			if s != nil {
				renewed = append(renewed, c.Name)
			}
			s = newServer(r, c)
			fresh = append(fresh, s)
		}
		all = append(all, s)
	}
	var leaving []*server
	for _, s := range before.servers {
		if !stays[s] {
			s.retire()
			leaving = append(leaving, s)
		}
	}
	order, twins := placesOf(to.Servers)
	r.roster.Store(newRoster(all))
	changed := r.registry.SetServers(order, twins, renewed)
	r.epoch.Add(1)
	r.changes.announce()
	r.listChanged(changed)
	for _, s := range leaving {
		r.log.Info("a server is configured no more, or in another way", slog.String("server", s.cfg.Name))
		if r.running {
			r.upkeep.Go(s.depart)
		}
	}
	if r.running {
		for _, s := range fresh {
			r.maintain(s)
		}
	}
}

// maintain keeps a server up until it has left. r.lifecycle is held.
func (r *Relay) maintain(s *server) { r.upkeep.Go(func() { s.keepUp(s.ctx) }) }

// retire has the server take no more calls and offer nothing new. What it is
// just offering is offered when this returns, and can be taken away.
func (s *server) retire() {
	s.offering.Lock()
	defer s.offering.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left.Store(true)
}

// depart ends the connection when the last call was answered, or the grace is
// over.
func (s *server) depart() {
	defer s.cancel()
	grace := time.NewTimer(leaveGrace)
	defer grace.Stop()
	for s.calls.Load() > 0 {
		select {
		case <-s.idle:
		case <-grace.C:
			s.relay.log.Warn("a server that is configured no more did not answer all its calls", slog.String("server", s.cfg.Name))
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// interval returns how long a server may be quiet before it is asked again what
// it offers.
func (r *Relay) interval() time.Duration {
	if every := time.Duration(r.relistInterval.Load()); every > 0 {
		return every
	}
	return math.MaxInt64 // never
}
