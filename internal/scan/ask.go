package scan

import (
	"context"
	"errors"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// reasonBudget is the failure of a scanner for which the message's budget left
// too little time.
const reasonBudget = "budget"

var errBudget = errors.New("the scanners took longer over this message than relay.scan_budget")

// askAll asks scanners at the same time, about what is left, and returns what
// they said. The first block ends the others' work, unless it is about items of
// a catalogue only: the others still have to judge the rest.
func (d *deliberation) askAll(seats []seat, why string) []opinion {
	first := len(d.opinions)
	if len(seats) == 1 {
		d.heard(d.consult(d.ctx, &seats[0], why))
		for i := range d.opinions[first:] {
			d.waited += d.opinions[first+i].took
		}
	} else {
		start := time.Now()
		d.askTogether(seats, why)
		d.waited += time.Since(start)
	}
	return d.opinions[first:]
}

func (d *deliberation) askTogether(seats []seat, why string) {
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	answers := make(chan opinion, len(seats))
	for i := range seats {
		d.gate.crew.run(func() { answers <- d.consult(ctx, &seats[i], why) })
	}
	decided := false
	for range seats {
		o := <-answers
		o.moot = decided && o.failure != nil
		if o.refuses(d) || o.instead != nil && o.instead.refuses(d) {
			decided = true
			cancel()
		}
		d.heard(o)
	}
}

// heard keeps what a scanner said, and whoever stood in for it.
func (d *deliberation) heard(o opinion) {
	d.opinions = append(d.opinions, o)
	if o.instead != nil {
		d.opinions = append(d.opinions, *o.instead)
	}
}

// refuses reports whether the opinion alone decides that the content is blocked.
func (o *opinion) refuses(d *deliberation) bool {
	if o.failure != nil || o.counts != verdict.Block {
		return false
	}
	_, named := d.itemsOf(o.counted)
	return !named
}

// consult asks one scanner, and during an outage of it whoever stands in for it.
func (d *deliberation) consult(ctx context.Context, s *seat, why string) opinion {
	o := d.ask(ctx, s, why)
	if o.failure == nil || o.failure.Cause != verdict.CauseOutage || s.fallback == nil || ctx.Err() != nil {
		return o
	}
	o.fallback = s.fallback.member.Name
	o.counts = verdict.Allow // nothing is said here
	if d.seats.enforces(s.fallback.member) {
		return o // it judges this anyway
	}
	by := d.ask(ctx, s.fallback, why)
	by.insteadOf = s.member.Name
	o.instead = &by
	return o
}

// ask asks one scanner and weighs what it says.
func (d *deliberation) ask(ctx context.Context, s *seat, why string) opinion {
	start := time.Now()
	bound, scarce := d.bound(s, start)
	o := opinion{seat: s, why: why}
	switch {
	case bound < 0:
		o.failure = &verdict.Failure{Reason: reasonBudget, Cause: verdict.CauseContent, Err: errBudget}
	case bound == 0:
		o.verdict, o.failure = s.scan(ctx, d.seen.content)
	default:
		within, cancel := context.WithTimeout(ctx, bound)
		o.verdict, o.failure = s.scan(within, d.seen.content)
		if o.failure != nil && scarce && ctx.Err() == nil && within.Err() != nil {
			// What used the time up was the content, whoever had it last.
			o.failure.Reason, o.failure.Cause = reasonBudget, verdict.CauseContent
		}
		cancel()
	}
	o.took = time.Since(start)
	d.weigh(&o)
	return o
}

// awayWait is how long a scanner that is known to be away is waited for when
// another stands in for it. It is asked all the same: it knows whose content
// brought it down.
const awayWait = 10 * time.Millisecond

// bound returns how long a scan may take: 0 for as long as the scanner's own
// limit, less for no time at all. scarce says that it is the message's budget
// that sets the bound.
func (d *deliberation) bound(s *seat, now time.Time) (bound time.Duration, scarce bool) {
	bound = s.terms.Timeout
	if bound <= 0 {
		bound = s.member.Limit
	}
	if !d.end.IsZero() {
		left := d.end.Sub(now)
		if left <= 0 {
			return -1, true
		}
		if s.fallback != nil {
			// Whoever stands in for the scanner needs time of its own. When it is
			// that time that is missing here, nobody has used the budget up.
			left -= s.fallback.needs(left)
		}
		if bound <= 0 || left < bound {
			bound, scarce = left, s.fallback == nil
		}
	}
	if s.fallback != nil && s.member.Away != nil && s.member.Away() && (bound <= 0 || bound > awayWait) {
		return awayWait, false
	}
	if s.member.Limit > 0 && bound >= s.member.Limit {
		return 0, scarce // its own clock runs out first
	}
	return max(bound, 0), scarce
}

// needs returns how much of the time that is left is kept for a fallback: what
// it may take, but not more than half.
func (s *seat) needs(left time.Duration) time.Duration {
	want := s.terms.Timeout
	if want <= 0 {
		want = s.member.Limit
	}
	if want <= 0 {
		return left / 2
	}
	return min(want, left/2)
}

// scan gives a content to the scanner.
func (s *seat) scan(ctx context.Context, c *verdict.Content) (verdict.Verdict, *verdict.Failure) {
	v, err := s.member.Scanner.Scan(ctx, *c)
	var failure *verdict.Failure
	switch {
	case err == nil && v.Action.Valid():
		return v, nil
	case err == nil:
		// The plugin host refuses such verdicts; a second belt costs nothing.
		failure = &verdict.Failure{Reason: "invalid_verdict"}
	case !errors.As(err, &failure):
		failure = &verdict.Failure{Reason: "internal", Err: err}
	}
	own := *failure // the scanner may hand the same one out again
	if own.Cause != verdict.CauseOutage {
		own.Cause = verdict.CauseContent
	}
	return verdict.Verdict{}, &own
}

// observe lets a scanner judge beside the decision and records what it says.
func (d *deliberation) observe(s *seat) {
	// The observer goes on when the message was decided and its context ended.
	// Whoever brought the message may then use the subject for what it became.
	own := *d.s
	beside := &deliberation{
		gate: d.gate, panel: d.panel, seats: d.seats, s: &own, ctx: context.WithoutCancel(d.ctx), id: d.id, content: &own.Content,
	}
	beside.look()
	d.panel.join()
	d.gate.observers.Go(func() {
		defer d.panel.leave()
		o := beside.ask(beside.ctx, s, "")
		beside.rec = d.gate.record(beside.s, beside.id)
		o.describe(&beside.rec, 0)
		_ = d.gate.audit.Write(&beside.rec) // an observer's record decides nothing
	})
}
