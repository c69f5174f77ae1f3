package scan

import (
	"context"
	"log/slog"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// deliberation is the way of one message through the scanners: stage by stage,
// each judging what the ones before left of it.
type deliberation struct {
	gate  *Gate
	panel *panel
	seats *seating
	s     *Subject
	ctx   context.Context         //nolint:containedctx // of the message, as is all of this
	send  func(peer.Cleared) bool // before the last stage has judged; nil: never
	then  func(Decision)

	id     string
	start  time.Time
	end    time.Time     // of the budget; zero: there is none
	waited time.Duration // for scanners

	content  *verdict.Content // what is left, with all items of a catalogue
	changed  bool             // it is not what came
	withheld []int            // items of a catalogue, ascending
	authors  []author         // of text that was put in
	opinions []opinion
	own      []audit.Record // of what the relay decided by itself
	noted    []secret       // that go to a client when the content passes
	// asText says that the content is text out of an opaque part, which cannot
	// be edited there.
	asText bool
	early  bool // the message was sent

	// Room for the usual case.
	one  [1]opinion
	seen view
	rec  audit.Record
}

// work runs the deliberation and says what came of it.
func (d *deliberation) work() {
	decision := d.decide()
	d.gate.hold.give(d.s.Content.Origin.Server, d.s.size())
	d.panel.leave()
	d.then(decision)
}

// decide has the message judged and records everything.
func (d *deliberation) decide() Decision {
	d.id, d.start, d.content = newScanID(), time.Now(), &d.s.Content
	for i := range d.seats.observers {
		d.observe(&d.seats.observers[i])
	}
	if len(d.seats.stages) == 0 {
		return d.gate.unjudged(d.panel, d.seats, d.s, d.id)
	}
	if d.panel.Budget > 0 {
		d.end = d.start.Add(d.panel.Budget)
	}
	d.opinions = d.one[:0]
	decision := d.record(d.release(d.judge()))
	if d.early && decision.Outcome != Passed {
		d.logSent()
	}
	if decision.Outcome == Passed {
		d.remember()
	}
	return decision
}

// judge has every stage judge, and then what they could not.
func (d *deliberation) judge() Decision {
	steps := [...]func() Outcome{d.hear, d.lookCloser, d.hearAgain}
	for _, step := range steps {
		switch out := step(); out {
		case Passed:
		case Blocked:
			d.gate.logBlocked(d.s, d.id)
			return Decision{Outcome: Blocked, ScanID: d.id}
		default:
			return Decision{Outcome: out, ScanID: d.id}
		}
	}
	if d.changed && d.early {
		d.gate.logBlocked(d.s, d.id)
		return Decision{Outcome: Blocked, ScanID: d.id}
	}
	if d.changed {
		s := *d.s
		s.Content = *d.content
		if rule, found := d.panel.ruling(&s); rule != nil {
			return d.gate.refuseBy(d.s, d.id, rule, found)
		}
	}
	decision := d.gate.pass(d.s, d.content.Data, d.id)
	decision.Withheld, decision.Changed = d.withheld, d.changed
	return decision
}

// hear asks the stages in their order. What one stops, no later one sees.
func (d *deliberation) hear() Outcome {
	for i, stage := range d.seats.stages {
		if !d.look() {
			break // every item of the catalogue is withheld
		}
		why := ""
		if d.asText {
			why = "as_text"
		}
		ask := d.askAll
		if i == len(d.seats.stages)-1 {
			ask = d.hearLast
		}
		if out := d.settle(ask(stage, why)); out != Passed {
			return out
		}
	}
	return Passed
}

// settle draws the conclusion of a stage, from what was said there: the strongest action wins, a block of
// a catalogue withholds the items that it names, and what cannot be redacted is
// blocked.
func (d *deliberation) settle(opinions []opinion) Outcome {
	var edits []verdict.Finding
	var withheld []int
	blocked, unavailable := false, false
	for i := range opinions {
		o := &opinions[i]
		d.tooLate(o)
		switch {
		case o.moot:
		case o.failure != nil:
			unavailable = unavailable || o.counts == verdict.Block
			d.logFailure(o)
		case o.counts == verdict.Block:
			items, named := d.itemsOf(o.counted)
			withheld = append(withheld, items...)
			blocked = blocked || !named
		case o.counts == verdict.Redact:
			edits = append(edits, o.edits()...)
			d.authors = append(d.authors, o.author()...)
		default:
		}
	}
	switch {
	case blocked:
		return Blocked
	case unavailable:
		return Unavailable
	}
	d.withhold(withheld)
	secrets := d.secretsIn(opinions, edits)
	if out := d.edit(edits); out != Passed {
		return out
	}
	return d.follow(secrets)
}

// edit applies what redactions are left.
func (d *deliberation) edit(edits []verdict.Finding) Outcome {
	if len(edits) == 0 {
		return Passed
	}
	redacted, err := verdict.Redacted(*d.content, edits)
	if err != nil {
		d.gate.log.Warn("a redaction cannot be applied, so the content is blocked",
			slog.String("scan_id", d.id), slog.Any("error", err))
		return Blocked
	}
	d.replace(redacted)
	return Passed
}

// replace goes on with other data.
func (d *deliberation) replace(data []byte) {
	next := *d.content
	next.Data = data
	d.content, d.changed = &next, true
}

func (d *deliberation) logFailure(o *opinion) {
	level := slog.LevelWarn
	if d.ctx.Err() != nil || d.asText && o.counts == verdict.Allow {
		level = slog.LevelDebug // nobody waits for this any more, or needs it
	}
	d.gate.log.Log(d.ctx, level, "scanner gave no verdict", slog.String("scanner", o.seat.member.Name), slog.String("scan_id", d.id),
		slog.String("failure", o.failure.Reason), slog.String("cause", o.failure.Cause.String()),
		slog.String("phase", d.s.Content.Phase.String()), slog.String("server", d.s.Content.Origin.Server),
		slog.Bool("passed", o.counts != verdict.Block), slog.String("fallback", o.fallback), slog.Any("detail", o.failure.Err))
}
