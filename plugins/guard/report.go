package guard

import (
	"cmp"
	"slices"

	"github.com/mcp-relay/relay/scanner"
)

// Limits of a verdict: below those of the contract.
const (
	maxFindings    = 500
	maxUninspected = 100
)

// report collects what a scan found.
type report struct {
	found    []result
	unseen   []scanner.Uninspected
	overflow scanner.Action // strongest action of a finding there was no room for
	whole    bool           // content without locations
}

// result is a finding and what follows from it.
type result struct {
	scanner.Finding
	action scanner.Action
}

func (r *report) uninspected(pointer, reason string) {
	u := scanner.Uninspected{Pointer: pointer, Reason: reason}
	if len(r.unseen) < maxUninspected && !slices.Contains(r.unseen, u) {
		r.unseen = append(r.unseen, u)
	} else if len(r.unseen) == maxUninspected {
		r.unseen[maxUninspected-1] = scanner.Uninspected{Reason: "too many parts"}
	}
}

// sighted reports what a built-in detector saw.
func (s *scan) sighted(f field, h sighting, base int) {
	if r := s.builtin[h.detector]; r != nil && r.actions[s.phase] != scanner.ActionUnspecified && r.roles.has(f.role) {
		s.matched(f, r, &view{}, h.at, base)
	}
}

// matched reports what a rule found at a place of a view.
func (s *scan) matched(f field, r *rule, v *view, at span, base int) {
	action := r.actions[s.phase]
	if action == scanner.ActionBlock && s.phase == scanner.PhaseRequest && proseRoles&(1<<f.role) != 0 && r.roles != 0 && talk(f.text) {
		action = scanner.ActionFlag // what is said about an attack is no attack
	}
	s.add(f, v, at, base, result{action: action, Finding: scanner.Finding{
		Rule: r.ID, Category: r.Category, Severity: r.severity, Confidence: r.Confidence, Message: r.message(v.via),
	}})
}

// Confidence in secrets: rules for one kind of token are surer than those for
// whatever stands beside a word like key.
const (
	genericSecret = "generic-api-key"
	likely        = 0.6
	sure          = 0.9
)

// leaked reports a secret.
func (s *scan) leaked(f field, r *secretRule, v *view, at span, base int) {
	res := result{action: scanner.ActionRedact, Finding: scanner.Finding{
		Rule: r.name, Category: r.category, Severity: scanner.SeverityHigh, Confidence: sure, Message: r.Title,
	}}
	if r.ID == genericSecret {
		res.Severity, res.Confidence = scanner.SeverityMedium, likely
	}
	if s.phase == scanner.PhaseDefinition {
		// What a server publishes about itself is not the user's secret.
		res.action = scanner.ActionFlag
	}
	s.add(f, v, at, base, res)
}

// instructed reports text that gives orders to a model.
func (s *scan) instructed(f field, j judgement, v *view, base int) {
	limit := s.instructions.limits[s.phase]
	res := result{action: scanner.ActionFlag, Finding: scanner.Finding{
		Rule: instructionRule, Category: instructionCategory + j.group, Severity: scanner.SeverityMedium,
		Confidence: min(0.95, 0.3+0.06*float64(j.points)),
		Message:    "Text that gives orders to the model. Parts of such orders stand together: " + j.groups,
	}}
	switch {
	case limit.Block > 0 && j.points >= limit.Block && j.core >= limit.Core:
		res.action, res.Severity = scanner.ActionBlock, scanner.SeverityHigh
	case limit.Flag == 0 || j.points < limit.Flag:
		return
	}
	s.add(f, v, j.at, base, res)
}

// add locates a finding and keeps it, unless the user does not want it or it
// is known from another view or an overlapping piece.
func (s *scan) add(f field, v *view, at span, base int, res result) {
	at = v.original(at)
	at = runeSpan(f.text, span{at.start + base, at.end + base})
	res.Location = scanner.Location{Pointer: f.pointer, Start: at.start, End: at.end}
	if f.key || s.whole {
		res.Location.Start, res.Location.End = 0, 0
	}
	res.action = s.settings.action(&res)
	if res.action == scanner.ActionRedact {
		// Only what stands in a string as it is can be cut out of it.
		if res.Redact = v.exact() && !f.key && !s.whole; !res.Redact {
			res.action = scanner.ActionBlock
		}
	}
	if s.settings.suppressed(&res.Finding, s.origin) || s.known(&res) {
		return
	}
	if len(s.found) == maxFindings {
		s.overflow = max(s.overflow, res.action)
		return
	}
	s.found = append(s.found, res)
}

// known reports whether the same rule found an overlapping place before, and
// widens that one.
func (r *report) known(res *result) bool {
	for i := range r.found {
		f := &r.found[i]
		if f.Rule != res.Rule || f.Location.Pointer != res.Location.Pointer {
			continue
		}
		a, b := span{f.Location.Start, f.Location.End}, span{res.Location.Start, res.Location.End}
		if a == b || a.overlaps(b) {
			f.Location.Start, f.Location.End = min(a.start, b.start), max(a.end, b.end)
			f.action = max(f.action, res.action)
			return true
		}
	}
	return false
}

// verdict makes the answer from what was found in content of phase p.
func (r *report) verdict(p scanner.Phase) scanner.Verdict {
	v := scanner.Verdict{Action: scanner.ActionAllow, Uninspected: r.unseen}
	for _, f := range r.found {
		v.Action = max(v.Action, f.action)
	}
	if r.overflow > scanner.ActionFlag {
		// What there was no room for could not be redacted.
		v.Action = scanner.ActionBlock
		v.Findings = append(v.Findings, scanner.Finding{
			Rule: "guard/too-many-findings", Category: "limit.findings", Severity: scanner.SeverityHigh,
			Message: "More was found than a verdict can hold.",
		})
		r.found = nil
	}
	for _, f := range mergeEdits(r.found) {
		// A block withholds every definition it names: one that is only flagged
		// must not go with one that is blocked.
		if p != scanner.PhaseDefinition || v.Action != scanner.ActionBlock || f.action == scanner.ActionBlock {
			v.Findings = append(v.Findings, f.Finding)
		}
	}
	return v
}

// mergeEdits joins overlapping redactions into one, under the surest rule.
func mergeEdits(found []result) []result {
	slices.SortStableFunc(found, func(a, b result) int {
		return cmp.Or(
			cmp.Compare(a.Location.Pointer, b.Location.Pointer),
			cmp.Compare(a.Location.Start, b.Location.Start),
			cmp.Compare(b.Confidence, a.Confidence),
		)
	})
	merged := found[:0:0]
	last := -1 // the last redaction in merged
	for _, f := range found {
		if f.Redact && last >= 0 {
			l := &merged[last]
			if l.Location.Pointer == f.Location.Pointer && f.Location.Start < l.Location.End {
				end := max(l.Location.End, f.Location.End)
				if f.Confidence > l.Confidence {
					f.Location.Start = l.Location.Start
					*l = f
				}
				l.Location.End = end
				continue
			}
		}
		if f.Redact {
			last = len(merged)
		}
		merged = append(merged, f)
	}
	return merged
}
