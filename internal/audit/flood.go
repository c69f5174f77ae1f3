package audit

import (
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Servers send notifications, and break the protocol, as often as they like. So
// that nobody can push the records of others out of the file, records of one
// shape are written a few times in a window and then counted; a record with the
// count follows when the window ends. What belongs to a client's request or to
// its answer is never counted: nobody but clients can make many of those.
const (
	window    = time.Minute
	maxShapes = 1024 // shapes in a window that are told apart
)

// shape is what records have in common that are counted together.
type shape struct {
	event     Event
	server    string
	scanner   string
	principal string
	method    string
	target    string
	mode      string
	phase     verdict.Phase
	action    verdict.Action
	effective verdict.Action
	outcome   string
	reason    string
	rule      string // of the first finding
}

// tally is how often a shape occurred in a window.
type tally struct {
	written int
	count   uint64 // of those that were not written
	since   time.Time
	record  Record // of a shape, for the summary
}

type flood struct {
	shapes map[shape]*tally
}

// enough returns how many records like r are written in a window, or 0 when all
// are.
func enough(r *Record) int {
	switch {
	case r.Event == Anomaly, r.Event == Withheld:
		return 1
	case r.Event == Drift, r.Event == Config:
		return 5 // of one definition or key, and kind of change
	case r.Event != Verdict && r.Event != Decision:
		return 0
	case r.Phase == verdict.Notification && r.Action == verdict.Allow && len(r.Uninspected) == 0:
		return 1
	case r.Phase == verdict.Notification, r.Phase == verdict.ServerRequest:
		return 20
	default:
		return 0
	}
}

// counts reports whether r was counted instead of being written. first says that
// a window began with it.
func (f *flood) counts(r *Record, now time.Time) (counted, first bool) {
	limit := enough(r)
	if limit == 0 {
		return false, false
	}
	key := shapeOf(r)
	t := f.shapes[key]
	if t == nil && len(f.shapes) >= maxShapes {
		// Somebody makes up ever new names: those are counted as one.
		key.method, key.target, key.rule, key.principal = "", "", "", ""
		t = f.shapes[key]
	}
	if t == nil {
		if f.shapes == nil {
			f.shapes = map[shape]*tally{}
		}
		first = len(f.shapes) == 0
		t = &tally{}
		f.shapes[key] = t
	}
	if t.written < limit {
		t.written++
		return false, first
	}
	if t.count == 0 {
		t.since = now
		t.record = key.record()
	}
	t.count++
	return true, first
}

func shapeOf(r *Record) shape {
	s := shape{
		event: r.Event, server: r.Server, scanner: r.Scanner, principal: r.Principal, method: r.Method,
		mode: r.Mode, phase: r.Phase, action: r.Action,
		effective: r.Effective, outcome: r.Outcome, reason: r.Reason,
	}
	if r.Event == Withheld || r.Event == Drift || r.Event == Config {
		s.target = r.Target
	}
	if len(r.Findings) > 0 {
		s.rule = r.Findings[0].Rule
	}
	return s
}

func (s *shape) record() Record {
	r := Record{
		Event: s.event, Server: s.server, Scanner: s.scanner, Principal: s.principal, Method: s.method, Target: s.target,
		Mode: s.mode, Phase: s.phase, Action: s.action, Effective: s.effective, Outcome: s.outcome, Reason: s.reason,
	}
	if s.rule != "" {
		r.Findings = []verdict.Finding{{Rule: s.rule}}
	}
	return r
}

// summaries ends the window and returns its records.
func (f *flood) summaries() []Record {
	var all []Record
	for _, t := range f.shapes {
		if t.count > 0 {
			t.record.Count, t.record.Since = t.count, t.since
			all = append(all, t.record)
		}
	}
	f.shapes = nil
	return all
}
