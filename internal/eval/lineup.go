package eval

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Own is the name of the relay among the scanners: its own rules, and its memory
// of definitions.
const Own = "relay"

// everything is the phases that may pass unscanned: what a gate without a scanner
// for them must not stop.
var everything = []verdict.Phase{
	verdict.Definition, verdict.Request, verdict.Response, verdict.ServerRequest, verdict.Notification,
}

// Entrant is one scanner, with what its word counts.
type Entrant struct {
	Name  string
	Panel scan.Panel
}

// Lineup is the scanners that judge. It is safe for concurrent use; end it with
// Close, which leaves the scanners themselves running.
type Lineup struct {
	all []*entrant
}

type entrant struct {
	name    string
	gate    *scan.Gate
	records *records
}

// NewLineup returns a lineup. What a panel has of terms is used as it is but for
// the mode: everybody's word counts.
func NewLineup(entrants []Entrant, log *slog.Logger) *Lineup {
	l := &Lineup{}
	for _, e := range entrants {
		e.Panel.AllowUnscanned = everything
		for i := range e.Panel.Members {
			enforce(&e.Panel.Members[i].Policy)
		}
		r := &records{of: map[string][]audit.Record{}}
		l.all = append(l.all, &entrant{name: e.Name, records: r, gate: scan.New(scan.Options{Panel: e.Panel, Recorder: r, Log: log})})
	}
	return l
}

// enforce makes a policy count, and nobody judge in its scanner's place.
func enforce(p *scan.Policy) {
	p.Fallback, p.Enforces, p.Stage = "", nil, nil
	strict := func(t scan.Terms) scan.Terms {
		t.Mode, t.OnOutage = scan.Enforce, scan.OutageBlocks
		return t
	}
	p.Terms = strict(p.Terms)
	if effective := p.Effective; effective != nil {
		p.Effective = func(server, target string, phase verdict.Phase) scan.Terms {
			return strict(effective(server, target, phase))
		}
	}
}

// Close ends what the lineup began.
func (l *Lineup) Close() {
	for _, e := range l.all {
		e.gate.Close()
	}
}

// Names returns the names of the scanners, without the relay's own.
func (l *Lineup) Names() []string {
	var names []string
	for _, e := range l.all {
		if e.name != Own {
			names = append(names, e.name)
		}
	}
	return names
}

// Opinion is what one scanner said of one item.
type Opinion struct {
	Scanner string
	Action  verdict.Action
	// Pointers in Findings and Uninspected are into the item.
	Findings    []verdict.Finding
	Uninspected []verdict.Uninspected
	// Failure is why there is no verdict; empty when there is one.
	Failure string
	// Judged says that the scanner was asked; it does not cover every phase.
	Judged      bool
	ScannerTime time.Duration // with the way to the scanner and back
	Size        int           // of what was judged, in bytes
}

// judge asks one scanner. When it finds something around the item, the action is
// not the item's, and the item is judged by itself.
func (e *entrant) judge(ctx context.Context, it *Item, around surroundings) Opinion {
	o, mixed := e.ask(ctx, it, around)
	if mixed && len(o.Findings) > 0 {
		o, _ = e.ask(ctx, it, surroundings{others: around.others})
	}
	return o
}

// ask has one message judged.
func (e *entrant) ask(ctx context.Context, it *Item, around surroundings) (o Opinion, mixed bool) {
	m := it.message(around)
	decided := make(chan scan.Decision, 1)
	e.gate.Judge(ctx, m.subject, func(d scan.Decision) { decided <- d })
	d := <-decided
	o = Opinion{Scanner: e.name, Action: verdict.Allow, Size: len(m.subject.Content.Data)}
	for _, r := range e.records.take(d.ScanID) {
		if r.Event == audit.Verdict {
			mixed = o.add(&r, &m) || mixed
		}
	}
	if o.Failure != "" {
		return o, mixed
	}
	if d.Outcome != scan.Passed && len(o.Findings) == 0 && !mixed {
		// Not for what was found: something could not be inspected.
		o.Action = verdict.Block
		o.Findings = append(o.Findings, verdict.Finding{Rule: "relay/uninspected", Category: "uninspected"})
	}
	return o, mixed
}

// add takes up a record of a verdict. It reports whether findings are about
// something else than the item.
func (o *Opinion) add(r *audit.Record, m *message) (mixed bool) {
	o.Judged, o.ScannerTime = true, o.ScannerTime+r.ScannerTime
	if r.Cause != verdict.CauseUnspecified {
		o.Failure = r.Reason
		return false
	}
	own := 0
	for i := range r.Findings {
		f := r.Findings[i]
		pointer, here := m.within(f.Location.Pointer)
		switch {
		case slices.Contains(r.Excepted, i):
		case here:
			f.Location.Pointer = pointer
			o.Findings = append(o.Findings, f)
			own++
		default:
			mixed = true
		}
	}
	for _, u := range r.Uninspected {
		if pointer, here := m.within(u.Pointer); here {
			u.Pointer = pointer
			o.Uninspected = append(o.Uninspected, u)
		}
	}
	action := r.Action
	if r.Effective != verdict.ActionUnspecified {
		action = r.Effective
	}
	if own > 0 || !mixed {
		o.Action = max(o.Action, action)
	}
	return mixed
}

// records keeps what gates record, until it is taken.
type records struct {
	mu sync.Mutex
	of map[string][]audit.Record
}

// Write keeps a record.
func (r *records) Write(rec *audit.Record) error {
	if rec.ScanID == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := *rec
	kept.Findings = slices.Clone(rec.Findings)
	r.of[rec.ScanID] = append(r.of[rec.ScanID], kept)
	return nil
}

func (r *records) take(scanID string) []audit.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.of[scanID]
	delete(r.of, scanID)
	return taken
}
