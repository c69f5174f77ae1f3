package scan

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// standsIn makes a member's outages follow another member.
func standsIn(name string) func(*Policy) {
	return func(p *Policy) { p.OnOutage, p.Fallback = OutageFallback, name }
}

func off(p *Policy) { p.Mode = Off }

func TestFallback(t *testing.T) {
	const text = `{"a":"key"}`
	tests := []struct {
		name          string
		remote, local Scanner
		local2        func(*Policy)
		want          Outcome
		body          string
		asked         bool // the fallback judged
	}{
		{"no outage", says(verdict.Verdict{Action: verdict.Allow}), says(finds(verdict.Block, verdict.High, "/a")), off, Passed, text, false},
		{"allows", fails(verdict.CauseOutage), says(verdict.Verdict{Action: verdict.Allow}), off, Passed, text, true},
		{"blocks", fails(verdict.CauseOutage), says(finds(verdict.Block, verdict.High, "/a")), off, Blocked, "", true},
		{"redacts", fails(verdict.CauseOutage), says(finds(verdict.Redact, verdict.High, "/a")), off, Passed, `{"a":"[redacted:secret.x#1]"}`, true},
		{"fails too", fails(verdict.CauseOutage), fails(verdict.CauseOutage), off, Unavailable, "", true},
		{"fails too and may", fails(verdict.CauseOutage), fails(verdict.CauseOutage), func(p *Policy) { p.Mode, p.OnOutage = Off, OutagePasses }, Passed, text, true},
		{"the content's fault", fails(verdict.CauseContent), says(verdict.Verdict{Action: verdict.Allow}), off, Unavailable, "", false},
		{"the content's fault there", fails(verdict.CauseOutage), fails(verdict.CauseContent), func(p *Policy) { p.Mode, p.OnOutage = Off, OutagePasses }, Unavailable, "", true},
		{"has a fallback itself", fails(verdict.CauseOutage), fails(verdict.CauseOutage), standsIn("remote"), Unavailable, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, rec := gateWith(t, Panel{Members: []Member{
				named("remote", 1, tt.remote, standsIn("local")), named("local", 0, tt.local, func(p *Policy) {
					tt.local2(p)
					p.Mode = Off
				}),
			}})
			d := decide(t, g, response(text))
			if d.Outcome != tt.want || string(d.Cleared.Body()) != tt.body {
				t.Errorf("outcome %d with %s", d.Outcome, d.Cleared.Body())
			}
			local := rec.by("local")
			if (len(local) == 1) != tt.asked {
				t.Fatalf("the fallback is recorded %d times", len(local))
			}
			remote := rec.sole(t, "remote")
			if !tt.asked {
				if remote.Fallback != "" {
					t.Errorf("recorded %+v", remote)
				}
				return
			}
			if remote.Fallback != "local" || remote.Reason != "test" || remote.Cause != verdict.CauseOutage || remote.Action != 0 {
				t.Errorf("recorded %+v", remote)
			}
			if local[0].InsteadOf != "remote" || local[0].Mode != "enforce" || local[0].Stage != 1 || local[0].ScanID != remote.ScanID {
				t.Errorf("recorded %+v", local[0])
			}
		})
	}
}

// TestAFallbackThatJudgesAnyway is asked once.
func TestAFallbackThatJudgesAnyway(t *testing.T) {
	for _, stage := range []int{0, 1, 2} {
		local := &witness{}
		g, rec := gateWith(t, Panel{Members: []Member{
			named("remote", 1, fails(verdict.CauseOutage), standsIn("local")), named("local", stage, local, nil),
		}})
		d := decide(t, g, request(`{"a":1}`))
		if d.Outcome != Passed || len(local.asked()) != 1 {
			t.Errorf("stage %d: outcome %d, asked %d times", stage, d.Outcome, len(local.asked()))
		}
		if r := rec.sole(t, "remote"); r.Fallback != "local" {
			t.Errorf("stage %d: recorded %+v", stage, r)
		}
		if r := rec.sole(t, "local"); r.InsteadOf != "" {
			t.Errorf("stage %d: recorded %+v", stage, r)
		}
	}
}

// TestAMissingFallbackBlocks: a name that leads nowhere opens nothing.
func TestAMissingFallbackBlocks(t *testing.T) {
	for _, name := range []string{"", "nobody", "remote"} {
		g, _ := gateWith(t, Panel{Members: []Member{named("remote", 0, fails(verdict.CauseOutage), standsIn(name))}})
		if d := decide(t, g, request(`{"a":1}`)); d.Outcome != Unavailable {
			t.Errorf("%q: outcome %d", name, d.Outcome)
		}
	}
}

func within(d time.Duration) func(*Policy) {
	return func(p *Policy) { p.Timeout = d }
}

// TestBudget: all stages and fallbacks share one time, and who has none left has
// failed by the content's doing.
func TestBudget(t *testing.T) {
	allow := verdict.Verdict{Action: verdict.Allow}
	open := func(p *Policy) { p.OnOutage = OutagePasses }
	tests := []struct {
		name    string
		members []Member
		want    Outcome
		after   time.Duration
		late    string // who had too little time
	}{
		{"enough", []Member{named("a", 0, waits(4*time.Second, allow), nil), named("b", 1, waits(5*time.Second, allow), nil)}, Passed, 9 * time.Second, ""},
		{"too little", []Member{named("a", 0, waits(6*time.Second, allow), nil), named("b", 1, waits(5*time.Second, allow), nil)}, Unavailable, 10 * time.Second, "b"},
		{"whatever on_error says", []Member{named("a", 0, waits(6*time.Second, allow), nil), named("b", 1, waits(5*time.Second, allow), open)}, Unavailable, 10 * time.Second, "b"},
		{"its own time", []Member{named("a", 0, waits(6*time.Second, allow), within(2*time.Second))}, Unavailable, 2 * time.Second, ""},
		{"together", []Member{named("a", 0, waits(9*time.Second, allow), nil), named("b", 0, waits(8*time.Second, allow), nil)}, Passed, 9 * time.Second, ""},
		{"nothing left", []Member{
			named("a", 0, sleeps(10*time.Second), nil), named("b", 1, waits(0, allow), open),
		}, Unavailable, 10 * time.Second, "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, rec := gateWith(t, Panel{Members: tt.members, Budget: 10 * time.Second})
				start := time.Now()
				if d := decide(t, g, request(`{"a":1}`)); d.Outcome != tt.want || time.Since(start) != tt.after {
					t.Errorf("outcome %d after %v", d.Outcome, time.Since(start))
				}
				if tt.late == "" {
					return
				}
				if r := rec.sole(t, tt.late); r.Reason != "budget" || r.Cause != verdict.CauseContent {
					t.Errorf("recorded %+v", r)
				}
			})
		})
	}
}

// TestTheBudgetLeavesTimeForTheFallback: a scanner that is waited for in vain does
// not use up the time of who stands in for it.
func TestTheBudgetLeavesTimeForTheFallback(t *testing.T) {
	allow := verdict.Verdict{Action: verdict.Allow}
	for name, tt := range map[string]struct {
		remote, local time.Duration // their timeouts; 0: their own
		after         time.Duration
	}{
		"half": {0, 0, 5 * time.Second}, "what it needs": {time.Minute, 2 * time.Second, 8 * time.Second},
		"not more": {3 * time.Second, 2 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				away := scannerFunc(awaits)
				g, rec := gateWith(t, Panel{Budget: 10 * time.Second, Members: []Member{
					named("remote", 0, away, func(p *Policy) {
						standsIn("local")(p)
						p.Timeout = tt.remote
					}),
					named("local", 0, says(allow), func(p *Policy) { p.Mode, p.Timeout = Off, tt.local }),
				}})
				start := time.Now()
				if d := decide(t, g, request(`{"a":1}`)); d.Outcome != Passed || time.Since(start) != tt.after {
					t.Errorf("outcome %d after %v", d.Outcome, time.Since(start))
				}
				if r := rec.sole(t, "remote"); r.Cause != verdict.CauseOutage || r.Fallback != "local" {
					t.Errorf("recorded %+v", r)
				}
			})
		})
	}
}

// TestNobodyWaitsForAScannerThatIsAway when another stands in for it. It is asked
// all the same, as it may say that the content is to blame.
func TestNobodyWaitsForAScannerThatIsAway(t *testing.T) {
	for cause, want := range map[verdict.Cause]Outcome{verdict.CauseOutage: Passed, verdict.CauseContent: Unavailable} {
		synctest.Test(t, func(t *testing.T) {
			gone := scannerFunc(func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
				<-ctx.Done()
				return verdict.Verdict{}, &verdict.Failure{Reason: "unavailable", Cause: cause}
			})
			g, _ := gateWith(t, Panel{Budget: 10 * time.Second, Members: []Member{
				named("remote", 0, gone, func(p *Policy) {
					standsIn("local")(p)
					p.Limit, p.Away = 5*time.Second, func() bool { return true }
				}),
				named("local", 0, says(verdict.Verdict{Action: verdict.Allow}), off),
			}})
			start := time.Now()
			if d := decide(t, g, request(`{"a":1}`)); d.Outcome != want || time.Since(start) != awayWait {
				t.Errorf("cause %s: outcome %d after %v", cause, d.Outcome, time.Since(start))
			}
		})
	}
}

// TestALimitNeedsNoClockOfTheGates: where the scanner's own clock runs out first,
// the scan gets the message's context as it is.
func TestALimitNeedsNoClockOfTheGates(t *testing.T) {
	for name, tt := range map[string]struct {
		budget, limit, timeout time.Duration
		bound                  bool
	}{
		"limit below": {10 * time.Second, 5 * time.Second, 5 * time.Second, false},
		"limit above": {3 * time.Second, 5 * time.Second, 5 * time.Second, true},
		"override":    {10 * time.Second, 5 * time.Second, time.Second, true},
		"no budget":   {0, 5 * time.Second, 5 * time.Second, false},
		"no limits":   {0, 0, 0, false},
		"only budget": {time.Second, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			bound := false
			g, _ := gateWith(t, Panel{Budget: tt.budget, Members: []Member{
				member(tellsDeadline(&bound), func(p *Policy) { p.Limit, p.Timeout = tt.limit, tt.timeout }),
			}})
			decide(t, g, request(`{"a":1}`))
			if bound != tt.bound {
				t.Errorf("a deadline: %v", bound)
			}
		})
	}
}
