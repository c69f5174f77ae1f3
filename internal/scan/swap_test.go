package scan

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func idle(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestSwapKeepsWhatIsInJudgement: a message is judged by the panel that was
// there when it came, and the old panel says when it has nothing left to do.
func TestSwapKeepsWhatIsInJudgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(action verdict.Action) scannerFunc {
			return func(context.Context, verdict.Content) (verdict.Verdict, error) {
				time.Sleep(time.Second)
				return verdict.Verdict{Action: action}, nil
			}
		}
		old := []Member{
			member(slow(verdict.Allow), nil),
			member(scannerFunc(func(context.Context, verdict.Content) (verdict.Verdict, error) {
				time.Sleep(time.Minute)
				return verdict.Verdict{Action: verdict.Allow}, nil
			}), func(p *Policy) { p.Mode = Observe }),
		}
		g := gateOf(old, &records{})
		first := make(chan Decision, 1)
		g.Judge(t.Context(), request(`{"a":1}`), func(d Decision) { first <- d })
		synctest.Wait()
		done := g.Swap(Panel{Members: []Member{member(slow(verdict.Block), nil)}})
		if d := decide(t, g, request(`{"a":1}`)); d.Outcome != Blocked {
			t.Errorf("the new panel did not judge: outcome %d", d.Outcome)
		}
		if d := <-first; d.Outcome != Passed {
			t.Errorf("the old panel did not judge what it had begun: outcome %d", d.Outcome)
		}
		synctest.Wait()
		if idle(done) {
			t.Error("the old panel is called idle while an observer of it works")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !idle(done) {
			t.Error("the old panel is not called idle")
		}
		g.Close()
	})
}

func TestSwapOfAnIdlePanel(t *testing.T) {
	g := gateOf(nil, &records{})
	for range 2 {
		if !idle(g.Swap(Panel{})) {
			t.Error("a panel that nobody used is not idle")
		}
	}
	g.Close()
}

// TestSwapUnderLoad: every message is judged by one panel or the other, and
// each panel becomes idle. Run it with -race.
func TestSwapUnderLoad(t *testing.T) {
	allow := []Member{member(says(verdict.Verdict{Action: verdict.Allow}), nil)}
	g := gateOf(allow, &records{})
	var judges sync.WaitGroup
	for range 4 {
		judges.Go(func() {
			for range 200 {
				if d := decide(t, g, request(`{"a":1}`)); d.Outcome != Passed {
					t.Errorf("outcome %d", d.Outcome)
				}
			}
		})
	}
	for range 50 {
		<-g.Swap(Panel{Members: allow})
	}
	judges.Wait()
	g.Close()
}

// always is a rule that refuses what holds a word.
type forbids string

func (forbids) Name() string { return "test_rule" }

func (f forbids) Judge(s *Subject) []verdict.Finding {
	if string(s.Content.Data) == string(f) {
		return []verdict.Finding{{Rule: "relay/test", Category: "test", Severity: verdict.Critical}}
	}
	return nil
}

// TestRulesHoldWhateverScannersSay: no mode, no missing scanner and no exemption
// turns a rule of the relay's own off.
func TestRulesHoldWhateverScannersSay(t *testing.T) {
	const bad = `{"a":"bad"}`
	for name, members := range map[string][]Member{
		"allow":   {member(says(verdict.Verdict{Action: verdict.Allow}), nil)},
		"observe": {member(says(verdict.Verdict{Action: verdict.Allow}), func(p *Policy) { p.Mode = Observe })},
		"nobody":  nil,
	} {
		for _, hidden := range []bool{false, true} {
			rec := &records{}
			g := gateOf(nil, rec)
			g.Swap(Panel{Members: members, Rules: []Rule{forbids(bad)}, AllowUnscanned: verdict.Phases})
			s := request(bad)
			s.Hidden = hidden
			d := decide(t, g, s)
			if d.Outcome != Blocked || len(rec.all) != 1 {
				t.Fatalf("%s, hidden %v: outcome %d, records %+v", name, hidden, d.Outcome, rec.all)
			}
			r := rec.all[0]
			if r.Scanner != "relay" || r.Mode != "enforce" || r.Reason != "test_rule" || r.Action != verdict.Block ||
				r.ScanID != d.ScanID || len(r.Findings) != 1 || r.Outcome != "blocked" {
				t.Errorf("%s: recorded %+v", name, r)
			}
			s = request(`{"a":"good"}`)
			s.Hidden = hidden
			if d := decide(t, g, s); d.Outcome != Passed {
				t.Errorf("%s, hidden %v: outcome %d", name, hidden, d.Outcome)
			}
			g.Close()
		}
	}
}
