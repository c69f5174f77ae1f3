package definitions

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// sighting is a definition that a server lists now.
type sighting struct {
	at      int // in the list
	name    string
	text    string // canonical
	hash    string
	scanID  string
	offered bool // the gate let it pass
}

// sight compares a list with the record and brings that up to date. It returns
// which of the definitions are held, and which are offered unapproved. mark is a
// digest of the list.
func (m *Memory) sight(ctx context.Context, s *server, kind Kind, list []sighting, mark digest) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(list) == 0 && s.empty[kind] {
		return answer{}
	}
	policy := m.policy.Load()
	look := &looking{server: s, kind: kind, policy: *policy, now: time.Now().UTC(), held: map[int]string{}, flagged: map[int]bool{}}
	m.change(ctx, s, func(rec *record) (dirty bool) {
		look.record = rec
		look.all(list)
		return look.dirty
	})
	s.empty[kind], s.held[kind] = len(list) == 0, len(look.held)
	out := answer{mark, policy, look.held, look.flagged}
	s.last[kind] = out
	m.report(s, look.changes)
	m.watch(s)
	return out
}

// looking is one comparison of a list with a record.
type looking struct {
	*server

	record  *record
	kind    Kind
	policy  Policy
	now     time.Time
	gone    *vanished
	held    map[int]string // as in answer
	flagged map[int]bool
	changes []report
	dirty   bool
}

// all compares the whole list.
func (l *looking) all(list []sighting) {
	present := make(map[string]bool, len(list))
	for i := range list {
		present[list[i].name] = true
	}
	clear(l.record.full)
	first := !slices.Contains(l.record.Listed, l.kind)
	if first {
		l.record.Listed, l.dirty = append(l.record.Listed, l.kind), true
	} else {
		l.gone = newVanished(l.record, l.kind, present)
	}
	done := make(map[string]bool, len(list))
	for i := range list {
		x := &list[i]
		if !x.offered || done[x.name] { // of two with one name, none but the first is offered
			continue
		}
		done[x.name] = true
		if first {
			l.accept(x, l.form(x, 0))
		} else {
			l.one(x)
		}
	}
	l.miss(present)
}

// one compares one definition.
func (l *looking) one(x *sighting) {
	key := itemKey{l.kind, x.name}
	e := l.record.item(l.kind, x.name)
	if e != nil && e.Approved != nil && e.Approved.Hash == x.hash {
		l.settle(e)
		l.offered[key] = x.hash
		return
	}
	before, seen := l.offered[key]
	if (e == nil || e.base() == nil) && before == x.hash {
		// The record was lost while the relay ran, which has offered just this.
		l.accept(x, l.form(x, 0))
		return
	}
	f := l.difference(e, x)
	f.Running = f.Running || seen && before != x.hash
	action := l.policy.Action(f.Classes, f.Running)
	if l.Hidden {
		action = min(action, Flag)
	}
	switch action {
	case Allow:
		f.Classes, f.Running = 0, false
		l.accept(x, f)
	case Flag:
		l.flag(x, f, before)
	default:
		l.hold(x, f)
	}
}

func (l *looking) form(x *sighting, c Classes) *Form {
	return &Form{Hash: x.hash, Text: x.text, Since: l.now, Classes: c, ScanID: x.scanID}
}

// difference returns the form that is offered now, with the classes of what
// makes it another than the approved one.
func (l *looking) difference(e *item, x *sighting) *Form {
	if e == nil || e.base() == nil {
		if e != nil && e.Held.Hash == x.hash {
			same := *e.Held // which may have been renamed
			return &same
		}
		f := l.form(x, Added)
		if was, text, ok := l.gone.former(x.name, x.text); ok {
			f.Classes, f.Was = Renamed|compare(l.kind, text, x.text), was
		}
		return f
	}
	for _, f := range []*Form{e.Held, e.Flagged} {
		if f != nil && f.Hash == x.hash {
			same := *f
			return &same
		}
	}
	f := l.form(x, classify(l.kind, e.base().Text, x.text))
	if e.Approved == nil {
		f.Classes |= Added
	}
	return f
}

// settle forgets that a definition was something else for a while.
func (l *looking) settle(e *item) {
	if e.Flagged != nil || e.Held != nil || !e.Removed.IsZero() {
		l.record.set(&e.Flagged, nil)
		l.record.set(&e.Held, nil)
		e.Removed = time.Time{}
		l.dirty = true
	}
}

// accept makes a form the approved one.
func (l *looking) accept(x *sighting, f *Form) {
	l.offered[itemKey{l.kind, x.name}] = x.hash
	if e := l.record.ensure(l.kind, x.name); e != nil {
		l.record.set(&e.Approved, f)
		l.settle(e)
		l.dirty = true
	}
}

// flag offers a form that nobody approved, and says so once.
func (l *looking) flag(x *sighting, f *Form, before string) {
	l.offered[itemKey{l.kind, x.name}] = x.hash
	l.flagged[x.at] = true
	e := l.record.ensure(l.kind, x.name)
	told := before == x.hash
	if e != nil {
		told = e.Flagged != nil && e.Flagged.Hash == x.hash
		l.dirty = l.dirty || !told || e.Held != nil || !e.Removed.IsZero()
		l.record.set(&e.Flagged, f)
		l.record.set(&e.Held, nil)
		e.Removed = time.Time{}
	}
	if !told {
		l.changes = append(l.changes, report{l.kind, x.name, f.Classes, outcomeFlagged, x.scanID})
	}
}

// hold keeps a form from clients.
func (l *looking) hold(x *sighting, f *Form) {
	key := itemKey{l.kind, x.name}
	if e := l.record.ensure(l.kind, x.name); e != nil {
		l.dirty = l.dirty || e.Held == nil || e.Held.Hash != x.hash || e.Held.Running != f.Running || !e.Removed.IsZero()
		l.record.set(&e.Held, f)
		e.Removed = time.Time{}
	}
	l.held[x.at] = reason(f)
	if l.told[key] != x.hash {
		l.told[key] = x.hash
		l.changes = append(l.changes, report{l.kind, x.name, f.Classes, outcomeHeld, x.scanID})
	}
}

// reason says why a form is held, in the relay's own words.
func reason(f *Form) string {
	what := "it is not what was approved ("
	switch {
	case f.Classes&Renamed != 0:
		what = "it had another name before ("
	case f.Classes == Added:
		what = "the server did not have it before ("
	}
	return what + strings.Join(f.Classes.Names(), ", ") + "): relay tools diff shows it, relay tools approve offers it"
}

// miss notes what the server lists no more. What was never offered is forgotten.
func (l *looking) miss(present map[string]bool) {
	forget := false
	for i := range l.record.Items {
		e := &l.record.Items[i]
		if e.Kind != l.kind || present[e.Name] || !e.Removed.IsZero() {
			continue
		}
		l.dirty = true
		// What clients saw of it is not forgotten: one that is back as something
		// else has changed while the relay runs.
		delete(l.told, itemKey{l.kind, e.Name})
		if e.base() == nil {
			forget = true
			continue
		}
		e.Removed = l.now
		l.record.set(&e.Held, nil)
		l.changes = append(l.changes, report{l.kind, e.Name, Removed, outcomeRemoved, ""})
	}
	if forget {
		l.record.forget(func(e *item) bool { return e.Kind == l.kind && !present[e.Name] && e.base() == nil })
	}
	if len(l.offered) > maxOffered {
		maps.DeleteFunc(l.offered, func(key itemKey, _ string) bool {
			return key.kind == l.kind && !present[key.name] && l.record.item(key.kind, key.name) == nil
		})
	}
}

// maxOffered is from how many forms on that a process let clients see it forgets
// those of definitions that are gone and not remembered.
const maxOffered = 4 * maxItems
