package scan

import (
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// record writes down what everybody said. What passes without its record does
// not pass.
func (d *deliberation) record(decision Decision) Decision {
	own := time.Since(d.start) - d.waited
	word := decision.word()
	lost := false
	for i := range d.opinions {
		d.rec = d.gate.record(d.s, d.id)
		d.opinions[i].describe(&d.rec, own)
		d.rec.Outcome, d.rec.Overlapped = word, d.early
		lost = d.gate.audit.Write(&d.rec) != nil || lost
	}
	for i := range d.own {
		d.own[i].Outcome, d.own[i].Overlapped = word, d.early
		lost = d.gate.audit.Write(&d.own[i]) != nil || lost
	}
	if lost && decision.Outcome == Passed {
		return Decision{Outcome: Unavailable, ScanID: d.id}
	}
	return decision
}

// describe puts the opinion into an audit record. own is what the relay added.
func (o *opinion) describe(rec *audit.Record, own time.Duration) {
	m := o.seat.member
	rec.Event, rec.Scanner, rec.Mode, rec.Stage = audit.Verdict, m.Name, modeNames[o.seat.terms.Mode], o.seat.stage
	if m.Digest != nil {
		rec.ScannerSHA256 = m.Digest()
	}
	rec.ScannerTime, rec.RelayTime = o.took, own
	if o.failure == nil && o.verdict.Cached {
		rec.Cached, rec.ScannerTime, rec.RelayTime = true, 0, own+o.took
	}
	rec.Fallback, rec.InsteadOf = o.fallback, o.insteadOf
	if o.moot {
		rec.Reason = "not_needed"
		return
	}
	if o.failure != nil {
		rec.Reason, rec.Cause = o.failure.Reason, o.failure.Cause
		if o.fallback == "" {
			rec.Action = o.counts
		}
		return
	}
	rec.Action, rec.Reason = o.verdict.Action, o.why
	if o.counts != rec.Action {
		rec.Effective = o.counts
	}
	rec.Findings, rec.Excepted = o.verdict.Findings, o.excepted
	rec.Uninspected = o.verdict.Uninspected
	rec.Reference, rec.Link = o.verdict.Reference, o.verdict.Link
}

// recordOwn keeps what the relay decided by itself about uninspected parts.
func (d *deliberation) recordOwn(action verdict.Action, parts []verdict.Uninspected) {
	rec := d.gate.record(d.s, d.id)
	rec.Event, rec.Scanner, rec.Mode = audit.Verdict, ownName, modeNames[Enforce]
	rec.Action, rec.Reason, rec.Uninspected = action, "uninspected", parts
	d.own = append(d.own, rec)
}
