package scan

import (
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// opinion is what one scanner said, or failed to say, and what that counts.
type opinion struct {
	seat    *seat
	verdict verdict.Verdict
	failure *verdict.Failure
	took    time.Duration
	why     string // it was asked once more; "" otherwise

	// moot: another scanner had blocked the content, so this one was stopped.
	moot bool
	// counts is what the verdict or the failure counts as.
	counts verdict.Action
	// counted are the findings that count, excepted the indexes of the others.
	counted  []verdict.Finding
	excepted []int

	fallback  string   // who judged instead of a scanner that failed
	instead   *opinion // and what that one said, when it was asked for this
	insteadOf string   // in whose place this was said
}

// weigh finds out what an opinion counts.
func (d *deliberation) weigh(o *opinion) {
	if o.failure != nil {
		o.counts = verdict.Block
		// Who does not take text by itself has judged the message that it is in.
		if d.tolerates(o.seat, o.failure) || d.asText && o.failure.Reason == reasonUnsupported {
			o.counts = verdict.Allow
		}
		return
	}
	d.seen.whole(d.s.Catalogue, &o.verdict)
	o.counts, o.counted = o.verdict.Action, o.verdict.Findings
	if o.counts == verdict.Allow {
		return
	}
	if len(o.seat.exceptions) > 0 {
		d.except(o)
	}
	if o.seat.terms.Threshold != verdict.SeverityUnspecified {
		d.soften(o)
	}
	if o.counts == verdict.Redact &&
		(d.asText || d.content.Phase == verdict.Request && !o.seat.member.RedactRequests) {
		o.counts = verdict.Block
	}
}

// except takes out the findings that do not count. A verdict of which nothing is
// left is an allow; a redact that has nothing to replace any more is a flag.
func (d *deliberation) except(o *opinion) {
	now := time.Now()
	var left []verdict.Finding
	for i := range o.verdict.Findings {
		if f := &o.verdict.Findings[i]; d.excepts(o.seat, f, now) {
			o.excepted = append(o.excepted, i)
		} else {
			left = append(left, *f)
		}
	}
	if len(o.excepted) == 0 {
		return
	}
	o.counted = left
	switch {
	case len(left) == 0:
		o.counts = verdict.Allow
	case o.counts == verdict.Redact && len(o.edits()) == 0:
		o.counts = verdict.Flag
	default:
	}
}

func (d *deliberation) excepts(by *seat, f *verdict.Finding, now time.Time) bool {
	for _, e := range by.exceptions {
		if e.Excepts(f.Rule, d.target(f.Location.Pointer), f.Location.Pointer, now) {
			return true
		}
	}
	return false
}

// soften makes a flag of a block or a redact whose findings are all known to be
// weaker than the threshold. In a catalogue, that is so for each item.
func (d *deliberation) soften(o *opinion) {
	if o.counts < verdict.Redact || len(o.counted) == 0 {
		return
	}
	if o.counts == verdict.Block {
		if _, named := d.itemsOf(o.counted); named {
			d.softenItems(o)
			return
		}
	}
	for i := range o.counted {
		if !o.seat.weak(&o.counted[i]) {
			return
		}
	}
	o.counts = verdict.Flag
}

// softenItems leaves of a block only the findings about items of which one is
// not weak.
func (d *deliberation) softenItems(o *opinion) {
	grave := map[int]bool{}
	for i := range o.counted {
		if index, _, _ := item(d.s.Catalogue, o.counted[i].Location.Pointer); !o.seat.weak(&o.counted[i]) {
			grave[index] = true
		}
	}
	var left []verdict.Finding
	for i := range o.counted {
		if index, _, _ := item(d.s.Catalogue, o.counted[i].Location.Pointer); grave[index] {
			left = append(left, o.counted[i])
		}
	}
	o.counted = left
	if len(left) == 0 {
		o.counts = verdict.Flag
	}
}

// weak reports whether a finding is known to be below the threshold.
func (s *seat) weak(f *verdict.Finding) bool {
	return f.Severity != verdict.SeverityUnspecified && f.Severity < s.terms.Threshold
}

// tolerates reports whether content passes although a scanner gave no verdict.
func (d *deliberation) tolerates(s *seat, f *verdict.Failure) bool {
	switch {
	case f.Cause == verdict.CauseOutage:
		return s.terms.OnOutage == OutagePasses
	case s.member.AllowOnContentFailure:
		return true
	case unseen(f):
		policy := d.panel.policyFor(s.terms.Uninspected)
		return policy == UninspectedAllow || policy == UninspectedFlag
	default:
		return false
	}
}

// edits returns the findings that ask for a replacement and count.
func (o *opinion) edits() []verdict.Finding {
	var edits []verdict.Finding
	for i := range o.counted {
		if o.counted[i].Edit != nil {
			edits = append(edits, o.counted[i])
		}
	}
	return edits
}
