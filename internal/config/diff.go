package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
)

// Effect says what a difference between two configurations does to what a
// running relay protects. Where it cannot be told it is the graver one.
type Effect uint8

// The effects, the gravest last.
const (
	// Harmless strengthens the protection or does not touch it.
	Harmless Effect = iota
	// Weakens lets more pass, or may.
	Weakens
	// Executes runs, connects to or hands credentials to something that was not
	// configured before.
	Executes
	// Restart cannot be changed while the relay runs.
	Restart
)

var effectNames = [...]string{"harmless", "weakens", "executes", "restart"}

// String returns the word for an effect.
func (e Effect) String() string {
	if int(e) < len(effectNames) {
		return effectNames[e]
	}
	return "unknown"
}

// Change is a difference between two configurations. It names the place and
// nothing that stands there: that may be a secret.
type Change struct {
	Path   string // of keys, with the names of servers and scanners as the file writes them
	Effect Effect
}

// Compare returns how the configuration of a relay changes, in the order of the
// keys. Where the file is and what loading it warned about do not matter.
func Compare(before, after *Config) []Change {
	var d differ
	d.servers(before.Servers, after.Servers)
	d.fields("relay", relayAspects(), reflect.ValueOf(&before.Relay).Elem(), reflect.ValueOf(&after.Relay).Elem())
	d.scanners(before.Relay.Scanners, after.Relay.Scanners)
	return d.changes
}

// Settle returns what of after a relay that runs with before can take over: all
// but what needs a restart, which stays as it is.
func Settle(before, after *Config) *Config {
	settled := *after
	keep(relayAspects(), reflect.ValueOf(&settled.Relay).Elem(), reflect.ValueOf(&before.Relay).Elem())
	return &settled
}

// aspect is how the changes of one field of a configuration are classed.
type aspect struct {
	field string // of the struct
	key   string // in the file; empty: the field has no key of its own
	// effect classes a change; nil: within does, or nothing here.
	effect func(before, after reflect.Value) Effect
	within []aspect // of a field that is a struct
}

// differ collects changes.
type differ struct{ changes []Change }

func (d *differ) add(path string, e Effect) { d.changes = append(d.changes, Change{path, e}) }

// fields compares two structs of one type.
func (d *differ) fields(path string, aspects []aspect, before, after reflect.Value) {
	for i := range aspects {
		a := &aspects[i]
		old, now := before.FieldByName(a.field), after.FieldByName(a.field)
		at := path
		if a.key != "" {
			at += "." + a.key
		}
		switch {
		case alike(old, now):
		case a.within != nil:
			d.fields(at, a.within, old, now)
		case a.effect != nil && old.Kind() == reflect.Map:
			d.entries(at, a, old, now)
		case a.effect != nil:
			d.add(at, a.effect(old, now))
		}
	}
}

// entries compares two maps, by key.
func (d *differ) entries(path string, a *aspect, before, after reflect.Value) {
	names := map[string]bool{}
	for _, m := range []reflect.Value{before, after} {
		for _, key := range m.MapKeys() {
			names[key.String()] = true
		}
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	for _, name := range sorted {
		old, now := before.MapIndex(reflect.ValueOf(name)), after.MapIndex(reflect.ValueOf(name))
		if !old.IsValid() || !now.IsValid() || !alike(old, now) {
			d.add(path+"."+name, a.effect(old, now))
		}
	}
}

// alike reports whether two values mean the same. It makes no difference
// whether an empty list was written.
func alike(a, b reflect.Value) bool {
	if k := a.Kind(); (k == reflect.Slice || k == reflect.Map) && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// keep gives to the values of from that need a restart.
func keep(aspects []aspect, to, from reflect.Value) {
	for i := range aspects {
		a := &aspects[i]
		now, old := to.FieldByName(a.field), from.FieldByName(a.field)
		switch {
		case a.within != nil:
			keep(a.within, now, old)
		case a.effect != nil && !alike(old, now) && a.effect(old, now) == Restart:
			now.Set(old)
		}
	}
}

// How changes of a field are classed.

func always(e Effect) func(_, _ reflect.Value) Effect {
	return func(_, _ reflect.Value) Effect { return e }
}

// becoming says that a switch has an effect in one direction only.
func becoming(value bool, e Effect) func(_, _ reflect.Value) Effect {
	return func(_, after reflect.Value) Effect {
		if after.Bool() == value {
			return e
		}
		return Harmless
	}
}

// ranked says that a choice is laxer the further in front it stands. One that
// does not stand there is the laxest.
func ranked(order ...string) func(before, after reflect.Value) Effect {
	return func(before, after reflect.Value) Effect {
		if slices.Index(order, after.String()) < max(slices.Index(order, before.String()), 0) {
			return Weakens
		}
		if !slices.Contains(order, after.String()) {
			return Weakens
		}
		return Harmless
	}
}

// longer says that a bound is laxer when it is greater, and laxest when it is 0.
func longer(before, after reflect.Value) Effect {
	unbounded := func(n int64) uint64 { return uint64(n) - 1 } //nolint:gosec // 0 becomes the greatest
	if cmp.Compare(unbounded(after.Int()), unbounded(before.Int())) > 0 {
		return Weakens
	}
	return Harmless
}

// added says that a list is laxer when it has something that it did not have.
func added(before, after reflect.Value) Effect { return without(after, before) }

// lost says that a list is laxer when it lacks something that it had. A star
// stands for everything.
func lost(before, after reflect.Value) Effect {
	for i := range after.Len() {
		if fmt.Sprint(after.Index(i).Interface()) == "*" {
			return Harmless
		}
	}
	return without(before, after)
}

// without returns Weakens when some element of a is not in b.
func without(a, b reflect.Value) Effect {
	for i := range a.Len() {
		there := false
		for j := range b.Len() {
			there = there || reflect.DeepEqual(a.Index(i).Interface(), b.Index(j).Interface())
		}
		if !there {
			return Weakens
		}
	}
	return Harmless
}
