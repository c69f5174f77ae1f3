package relay

import (
	"context"
	"time"

	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/verdict"
)

// inventoryWait is how long the tools of a server wait, unjudged, for those of
// others that have not listed yet: what is judged, and with what, must not
// depend on who answers first. Lists wait for those servers anyway.
const inventoryWait = 2 * time.Second

// inventoryShare is the part of the start timeout that this may take at most.
const inventoryShare = 4

// lists notes which tools a server has, for the judgement of others.
func (s *server) lists(k registry.Kind, raw [][]byte) {
	if k != registry.Tools {
		return
	}
	names := make([]string, 0, len(raw))
	for _, r := range raw {
		if it := registry.NewItem(k, r); it.State != registry.Failed {
			names = append(names, it.Name)
		}
	}
	s.tools.Store(&names)
	s.relay.changes.announce()
}

// inventory returns what the other servers offer: what they listed last,
// whether it was judged by now or not. It waits a while for those that start.
func (s *server) inventory(ctx context.Context, l *link) []verdict.Offered {
	if used := s.relay.opts.UsesInventory; used == nil || !used() {
		return nil
	}
	s.awaitOthers(ctx, l)
	tools := map[string][]string{}
	for _, other := range s.relay.servers() {
		if names := other.tools.Load(); other != s && names != nil {
			tools[other.cfg.Name] = *names
		}
	}
	return verdict.NewInventory(tools)
}

// awaitOthers waits until every other server has listed its tools or failed.
func (s *server) awaitOthers(ctx context.Context, l *link) {
	timer := time.NewTimer(min(inventoryWait, s.relay.opts.StartTimeout/inventoryShare))
	defer timer.Stop()
	for {
		changed := s.relay.changes.next()
		if s.othersListed() {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-l.conn.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) othersListed() bool {
	for _, other := range s.relay.servers() {
		if other != s && other.tools.Load() == nil && !other.settled.Load() {
			return false
		}
	}
	return true
}
