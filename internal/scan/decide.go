package scan

import (
	"context"
	"log/slog"
	"slices"

	"github.com/mcp-relay/relay/internal/verdict"
)

// decide merges the opinions of the enforcing scanners: the strongest action
// wins, a block of a catalogue withholds the items it names, and what cannot
// be redacted is blocked.
func (g *Gate) decide(ctx context.Context, s *Subject, id string, opinions []opinion) Decision {
	var edits []verdict.Finding
	var withheld []int
	blocked, unavailable := false, false
	for i := range opinions {
		o := &opinions[i]
		switch {
		case o.moot:
		case o.failure != nil:
			tolerated := o.member.tolerates(o.failure)
			unavailable = unavailable || !tolerated
			level := slog.LevelWarn
			if ctx.Err() != nil {
				level = slog.LevelDebug // nobody waits for this any more
			}
			g.log.Log(ctx, level, "scanner gave no verdict", slog.String("scanner", o.member.Name), slog.String("scan_id", id),
				slog.String("failure", o.failure.Reason), slog.String("cause", o.failure.Cause.String()),
				slog.String("phase", s.Content.Phase.String()), slog.String("server", s.Content.Origin.Server),
				slog.Bool("passed", tolerated), slog.Any("detail", o.failure.Err))
		case o.verdict.Action == verdict.Block:
			items, named := withheldItems(s, &o.verdict)
			withheld = append(withheld, items...)
			blocked = blocked || !named
		case o.verdict.Action == verdict.Redact:
			if s.Content.Phase == verdict.Request && !o.member.RedactRequests {
				blocked = true
				continue
			}
			edits = append(edits, editsOf(&o.verdict)...)
		default:
		}
	}
	switch {
	case blocked:
		g.logBlocked(s, id)
		return Decision{Outcome: Blocked, ScanID: id}
	case unavailable:
		return Decision{Outcome: Unavailable, ScanID: id}
	}
	data := s.Content.Data
	if len(edits) > 0 {
		redacted, err := verdict.Redacted(s.Content, edits)
		if err != nil {
			g.log.Warn("a redaction cannot be applied, so the content is blocked",
				slog.String("scan_id", id), slog.Any("error", err))
			return Decision{Outcome: Blocked, ScanID: id}
		}
		data = redacted
	}
	d := g.pass(s, data, id)
	slices.Sort(withheld)
	d.Withheld = slices.Compact(withheld)
	return d
}

// withheldItems returns the items that a block of a catalogue names. named is
// false when the block is not only about items.
func withheldItems(s *Subject, v *verdict.Verdict) (items []int, named bool) {
	if s.Catalogue == "" {
		return nil, false
	}
	return verdict.Withheld(v.Findings, s.Catalogue)
}

// onlyItems reports whether a block leaves the rest of a catalogue to others.
func onlyItems(s *Subject, v *verdict.Verdict) bool {
	_, named := withheldItems(s, v)
	return named
}

func editsOf(v *verdict.Verdict) []verdict.Finding {
	var edits []verdict.Finding
	for _, f := range v.Findings {
		if f.Edit != nil {
			edits = append(edits, f)
		}
	}
	return edits
}
