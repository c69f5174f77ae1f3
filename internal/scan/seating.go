package scan

import (
	"maps"
	"slices"

	"github.com/mcp-relay/relay/internal/verdict"
)

// seat is a member with the terms that hold for some content.
type seat struct {
	member     *Member
	terms      Terms
	stage      int
	exceptions []Exception
	// fallback judges instead during an outage; nil: nobody.
	fallback *seat
}

// seating is who judges the content of a place.
type seating struct {
	stages    [][]seat // of enforcing scanners, in their order
	observers []seat
	// covered says that a scanner enforces the place, but for single targets.
	covered bool
	// byTarget says that targets make a difference, so that this one holds for
	// a single target only.
	byTarget bool
}

// maxSeated bounds the places that are remembered. Servers are named by the
// configuration, so there are fewer.
const maxSeated = 4096

// seating returns who judges content of a phase of a server with this target.
func (p *panel) seating(server, target string, phase verdict.Phase) *seating {
	at := place{server, phase}
	known := (*p.seated.Load())[at]
	if known != nil && !known.byTarget {
		return known
	}
	s, settled := p.seat(server, target, phase)
	if settled && known == nil {
		p.remember(at, s)
	}
	return s
}

func (p *panel) remember(at place, s *seating) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := *p.seated.Load(); len(old) < maxSeated {
		seated := maps.Clone(old)
		seated[at] = s
		p.seated.Store(&seated)
	}
}

// seat finds out who judges. settled is false as long as that may change.
func (p *panel) seat(server, target string, phase verdict.Phase) (s *seating, settled bool) {
	s, settled = &seating{}, true
	var enforcing []seat
	for i := range p.Members {
		m := &p.Members[i]
		if !m.covers(server, phase) {
			continue
		}
		s.covered = s.covered || m.enforces(server, phase)
		s.byTarget = s.byTarget || m.byTarget(server, phase)
		one := p.seatOf(m, server, target, phase)
		switch one.terms.Mode {
		case Enforce:
			stage, known := m.stage()
			one.stage, settled = stage, settled && known
			if one.terms.OnOutage == OutageFallback {
				one.fallback = p.fallbackOf(m, server, target, phase)
			}
			enforcing = append(enforcing, one)
		case Observe:
			s.observers = append(s.observers, one)
		default:
		}
	}
	slices.SortStableFunc(enforcing, func(a, b seat) int { return a.stage - b.stage })
	for len(enforcing) > 0 {
		n := 1
		for n < len(enforcing) && enforcing[n].stage == enforcing[0].stage {
			n++
		}
		s.stages = append(s.stages, enforcing[:n:n])
		enforcing = enforcing[n:]
	}
	return s, settled
}

func (p *panel) seatOf(m *Member, server, target string, phase verdict.Phase) seat {
	return seat{
		member: m, terms: m.effective(server, target, phase),
		exceptions: p.exceptionsFor(m.Name, server, phase),
	}
}

// exceptionsFor returns what may except findings of a scanner in a phase of a
// server.
func (p *panel) exceptionsFor(scanner, server string, phase verdict.Phase) []Exception {
	var list []Exception
	for _, e := range p.Exceptions {
		if e.Concerns(scanner, server, phase) {
			list = append(list, e)
		}
	}
	return list
}

// fallbackOf returns who judges instead of m, whatever its own mode is.
func (p *panel) fallbackOf(m *Member, server, target string, phase verdict.Phase) *seat {
	other := p.members[m.Fallback]
	if other == nil || other == m {
		return nil
	}
	one := p.seatOf(other, server, target, phase)
	one.terms.Mode = Enforce
	one.stage, _ = m.stage()
	return &one
}

// nobody reports whether there is no scanner to be asked.
func (s *seating) nobody() bool { return len(s.stages) == 0 && len(s.observers) == 0 }

// enforces reports whether a member is asked anyway.
func (s *seating) enforces(m *Member) bool {
	for _, stage := range s.stages {
		for i := range stage {
			if stage[i].member == m {
				return true
			}
		}
	}
	return false
}
