package definitions

import (
	"log/slog"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/verdict"
)

// What becomes of a change, as audit records have it.
const (
	outcomeHeld    = "held"
	outcomeFlagged = "flagged"
	outcomeRemoved = "removed"
)

// report is a change that people learn of.
type report struct {
	kind    Kind
	name    string
	classes Classes
	outcome string
	scanID  string
}

// Of one list, how many changes are logged and recorded one by one. A server
// that changes everything must not push the rest out of either.
const (
	maxLogged   = 20
	maxRecorded = 1000
)

// report tells people of changes.
func (m *Memory) report(s *server, changes []report) {
	for i := range changes {
		c := &changes[i]
		if i < maxLogged {
			log := m.log.With(slog.String("server", s.Name), slog.String("kind", string(c.kind)),
				slog.String("target", c.name), slog.String("reason", c.classes.String()), slog.String("scan_id", c.scanID))
			switch {
			case c.classes == Replaced:
				log.Warn("another server has a known name; it is trusted as if it were seen first")
			case c.outcome == outcomeHeld:
				log.Warn("a definition changed and is held; relay tools diff shows it")
			case c.outcome == outcomeRemoved:
				log.Info("a definition is gone")
			default:
				log.Warn("a definition changed; relay tools diff shows it")
			}
		}
		if i < maxRecorded {
			m.record(&audit.Record{
				Event: audit.Drift, Server: s.Name, Target: c.name, Method: c.kind.method(), Phase: verdict.Definition,
				ScanID: c.scanID, Outcome: c.outcome, Reason: c.classes.String(),
			})
		}
	}
	if more := len(changes) - maxLogged; more > 0 {
		m.log.Warn("more definitions changed", slog.String("server", s.Name), slog.Int("skipped", more))
	}
	if len(changes) > maxRecorded {
		m.record(&audit.Record{Event: audit.Drift, Server: s.Name, Phase: verdict.Definition, Reason: "more"})
	}
}

func (m *Memory) record(r *audit.Record) {
	if err := m.audit.Write(r); err != nil {
		m.log.Error("the audit record cannot be written", slog.Any("error", err))
	}
}

// method returns the method that lists a kind; empty: none does.
func (k Kind) method() string {
	for _, r := range registry.Kinds {
		if kindOf(r) == k {
			return r.Method()
		}
	}
	return ""
}
