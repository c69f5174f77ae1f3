package scan

import (
	"log/slog"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// ownName is the scanner of records about what the relay itself decided. A
// configured scanner of that name would still have a digest.
const ownName = "relay"

// ruling returns the first rule that refuses s, with what it found.
func (p *panel) ruling(s *Subject) (Rule, []verdict.Finding) {
	for _, rule := range p.Rules {
		if found := rule.Judge(s); len(found) > 0 {
			return rule, found
		}
	}
	return nil, nil
}

// refuseBy blocks s because of what a rule found.
func (g *Gate) refuseBy(s *Subject, id string, rule Rule, found []verdict.Finding) Decision {
	d := Decision{Outcome: Blocked, ScanID: id}
	rec := g.record(s, id)
	rec.Event, rec.Scanner, rec.Mode = audit.Verdict, ownName, modeNames[Enforce]
	rec.Action, rec.Reason, rec.Findings, rec.Outcome = verdict.Block, rule.Name(), found, d.word()
	_ = g.audit.Write(&rec) // blocked either way
	g.logBlocked(s, id)
	return d
}

// logBlocked tells the person who runs the relay.
func (g *Gate) logBlocked(s *Subject, id string) {
	g.log.Warn("blocked; the audit record has the findings", slog.String("scan_id", id),
		slog.String("phase", s.Content.Phase.String()), slog.String("server", s.Content.Origin.Server),
		slog.String("target", s.Content.Origin.Target))
}
