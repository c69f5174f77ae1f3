package scan

import (
	"slices"
	"testing"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// forTool is a policy with an override for one tool.
func forTool(tool string, terms Terms) func(*Policy) {
	return func(p *Policy) {
		general := p.Terms
		p.Effective = func(_, target string, _ verdict.Phase) Terms {
			if target == tool {
				return terms
			}
			return general
		}
		p.ByTarget = func(string, verdict.Phase) bool { return true }
		p.Enforces = func(string, verdict.Phase) bool { return general.Mode == Enforce }
	}
}

func about(tool string) *Subject {
	s := request(`{"a":1}`)
	s.Content.Origin.Target = tool
	return s
}

// TestOverridesOfOneTool hold for that tool alone, however often it comes.
func TestOverridesOfOneTool(t *testing.T) {
	blocks := says(finds(verdict.Block, verdict.Low, ""))
	tests := []struct {
		name        string
		member      Scanner
		terms       Terms
		other, tool Outcome
		reason      string // of the record that says that nobody judged
	}{
		{"observe", blocks, Terms{Mode: Observe}, Blocked, Passed, "override"},
		{"off", blocks, Terms{Mode: Off}, Blocked, Passed, "override"},
		{"threshold", blocks, Terms{Threshold: verdict.High}, Blocked, Passed, ""},
		{"outage", fails(verdict.CauseOutage), Terms{OnOutage: OutagePasses}, Unavailable, Passed, ""},
		{"uninspected", says(skips(verdict.Allow, "/a")), Terms{Uninspected: UninspectedFlag}, Blocked, Passed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, rec := gateWith(t, Panel{Members: []Member{member(tt.member, forTool("safe", tt.terms))}})
			for range 3 {
				if d := decide(t, g, about("other")); d.Outcome != tt.other {
					t.Errorf("another tool: outcome %d", d.Outcome)
				}
				rec.all = nil
				if d := decide(t, g, about("safe")); d.Outcome != tt.tool {
					t.Errorf("the tool: outcome %d", d.Outcome)
				}
				g.observers.Wait()
				said := slices.ContainsFunc(rec.all, func(r audit.Record) bool { return r.Reason == tt.reason && r.Action == verdict.Allow })
				if tt.reason != "" && !said {
					t.Errorf("recorded %+v", rec.all)
				}
			}
		})
	}
}

func TestAnOverrideLeavesTheToolToTheOthers(t *testing.T) {
	other := &witness{}
	g, rec := gateWith(t, Panel{Members: []Member{
		named("a", 0, says(finds(verdict.Block, verdict.High, "")), forTool("safe", Terms{Mode: Off})), named("b", 0, other, nil),
	}})
	if d := decide(t, g, about("safe")); d.Outcome != Passed || len(other.asked()) != 1 || len(rec.by("")) != 0 {
		t.Errorf("outcome %d, asked %d times, recorded %+v", d.Outcome, len(other.asked()), rec.by(""))
	}
}

// TestAGeneralOverrideIsNoPermission: a scanner that is off for a whole phase of
// a server leaves it uncovered, and nobody has said that it may pass.
func TestAGeneralOverrideIsNoPermission(t *testing.T) {
	everywhereOff := func(p *Policy) {
		p.Effective = func(server, _ string, _ verdict.Phase) Terms {
			if server == "srv" {
				return Terms{Mode: Off}
			}
			return Terms{}
		}
		p.Enforces = func(server string, _ verdict.Phase) bool { return server != "srv" }
	}
	g, rec := gateWith(t, Panel{Members: []Member{member(says(verdict.Verdict{Action: verdict.Allow}), everywhereOff)}})
	if d := decide(t, g, about("safe")); d.Outcome != Unavailable || rec.all[0].Reason != "uncovered" {
		t.Errorf("outcome %d, recorded %+v", d.Outcome, rec.all)
	}
	if g.Covers("srv", verdict.Request) || !g.Covers("other", verdict.Request) {
		t.Error("what is covered is wrong")
	}
}

// TestSeatingsAreFoundOnce where targets make no difference, so that a policy
// costs a message nothing.
func TestSeatingsAreFoundOnce(t *testing.T) {
	asked := 0
	g, _ := gateWith(t, Panel{Members: []Member{member(says(verdict.Verdict{Action: verdict.Allow}), func(p *Policy) {
		p.Effective = func(string, string, verdict.Phase) Terms {
			asked++
			return Terms{}
		}
		p.Enforces = func(string, verdict.Phase) bool { return true }
	})}})
	for _, tool := range []string{"a", "b", "a"} {
		decide(t, g, about(tool))
	}
	if asked != 1 {
		t.Errorf("the policy was asked %d times", asked)
	}
}
