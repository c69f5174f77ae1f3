package scan

import (
	"context"
	"errors"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// opinion is what one scanner said, or failed to say.
type opinion struct {
	member  *Member
	verdict verdict.Verdict
	failure *verdict.Failure
	took    time.Duration
	// moot: another scanner had blocked the content, so this one was stopped.
	moot bool
}

// deliberate asks every scanner of the panel at the same time and decides. The
// first block ends the others' work, unless it is about items of a catalogue
// only: the others still have to judge the rest. Observers neither decide nor
// delay.
func (g *Gate) deliberate(ctx context.Context, p *panel, seats *seating, s *Subject) Decision {
	id, start := newScanID(), time.Now()
	for i := range seats.observers {
		g.observe(ctx, p, s, id, seats.observers[i].member)
	}
	if len(seats.stages) == 0 {
		return g.unjudged(p, seats, s, id)
	}
	var panel []*Member
	for _, stage := range seats.stages {
		for i := range stage {
			panel = append(panel, stage[i].member)
		}
	}
	var opinions []opinion
	if len(panel) == 1 {
		opinions = []opinion{ask(ctx, s, panel[0])}
	} else {
		opinions = askAll(ctx, s, panel)
	}
	d := g.decide(ctx, s, id, opinions)
	own := time.Since(start) - slowest(opinions)
	for i := range opinions {
		rec := g.record(s, id)
		opinions[i].describe(&rec, own)
		rec.Outcome = d.word()
		if err := g.audit.Write(&rec); err != nil && d.Outcome == Passed {
			d = Decision{Outcome: Unavailable, ScanID: id}
		}
	}
	return d
}

// slowest returns the time of the scanner that everybody waited for.
func slowest(opinions []opinion) time.Duration {
	var longest time.Duration
	for i := range opinions {
		longest = max(longest, opinions[i].took)
	}
	return longest
}

func askAll(ctx context.Context, s *Subject, panel []*Member) []opinion {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan opinion, len(panel))
	for _, m := range panel {
		go func() { answers <- ask(ctx, s, m) }()
	}
	opinions := make([]opinion, 0, len(panel))
	decided := false
	for range panel {
		o := <-answers
		o.moot = decided && o.failure != nil
		if o.failure == nil && o.verdict.Action == verdict.Block && !onlyItems(s, &o.verdict) {
			decided = true
			cancel()
		}
		opinions = append(opinions, o)
	}
	return opinions
}

func ask(ctx context.Context, s *Subject, m *Member) opinion {
	start := time.Now()
	v, err := m.Scanner.Scan(ctx, s.Content)
	o := opinion{member: m, verdict: v, took: time.Since(start)}
	if err != nil {
		if !errors.As(err, &o.failure) {
			o.failure = &verdict.Failure{Reason: "internal", Cause: verdict.CauseContent, Err: err}
		}
	} else if !v.Action.Valid() {
		// The plugin host refuses such verdicts; a second belt costs nothing.
		o.failure = &verdict.Failure{Reason: "invalid_verdict", Cause: verdict.CauseContent}
	}
	return o
}

// observe lets a scanner judge beside the decision and records what it says.
func (g *Gate) observe(ctx context.Context, p *panel, s *Subject, id string, m *Member) {
	// The observer goes on when the message was decided and its context ended.
	ctx = context.WithoutCancel(ctx)
	p.join()
	g.observers.Go(func() {
		defer p.leave()
		o := ask(ctx, s, m)
		rec := g.record(s, id)
		o.describe(&rec, 0)
		_ = g.audit.Write(&rec) // an observer's record decides nothing
	})
}

// describe puts the opinion into an audit record. own is what the relay added.
func (o *opinion) describe(rec *audit.Record, own time.Duration) {
	rec.Event = audit.Verdict
	rec.Scanner = o.member.Name
	if o.member.Digest != nil {
		rec.ScannerSHA256 = o.member.Digest()
	}
	rec.Mode = "enforce"
	if o.member.Mode == Observe {
		rec.Mode = "observe"
	}
	rec.ScannerTime, rec.RelayTime = o.took, own
	if o.moot {
		rec.Reason = "not_needed"
		return
	}
	if o.failure != nil {
		rec.Reason, rec.Cause = o.failure.Reason, o.failure.Cause
		rec.Action = verdict.Block
		if o.member.tolerates(o.failure) {
			rec.Action = verdict.Allow
		}
		return
	}
	rec.Action = o.verdict.Action
	rec.Findings = o.verdict.Findings
	rec.Uninspected = o.verdict.Uninspected
	rec.Reference = o.verdict.Reference
}
