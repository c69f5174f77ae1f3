package scan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/verdict"
)

// TestNothingPassesThatSomebodyStopped draws policies and verdicts at random and
// compares what passes with what each enforcing scanner on its own would say: the
// order of stages, observers and others' verdicts may make it stricter, never
// weaker.
func TestNothingPassesThatSomebodyStopped(t *testing.T) {
	const seed = 20261122
	random := rand.New(rand.NewPCG(seed, 7))
	passed, stopped := 0, 0
	for round := range 3000 {
		var members []Member
		must := Passed // what the model says at least
		var told []string
		for i := range 1 + random.IntN(4) {
			m, stops, tells := draw(random, i)
			members = append(members, m)
			told = append(told, tells)
			if stops {
				must = Blocked
			}
		}
		g := gateOf(nil, &records{})
		g.Swap(Panel{Members: members})
		d := decide(t, g, response(`{"a":"key","b":"x"}`))
		g.Close()
		if must == Blocked && d.Outcome == Passed {
			t.Fatalf("round %d passed: %s", round, strings.Join(told, "; "))
		}
		if must == Passed && d.Outcome != Passed && !onlyObservers(members) {
			t.Fatalf("round %d did not pass: %s", round, strings.Join(told, "; "))
		}
		if d.Outcome == Passed {
			passed++
		} else {
			stopped++
		}
	}
	if passed < 300 || stopped < 300 {
		t.Errorf("%d passed, %d were stopped: the drawing is lopsided", passed, stopped)
	}
}

func onlyObservers(members []Member) bool {
	for i := range members {
		if members[i].Mode == Enforce {
			return false
		}
	}
	return true
}

// draw returns a member, and whether it alone stops the content.
func draw(random *rand.Rand, i int) (m Member, stops bool, tells string) {
	mode := Mode(random.IntN(2))
	threshold, severity := verdict.Severity(random.IntN(6)), verdict.Severity(random.IntN(6))
	action := verdict.Action(random.IntN(6)) // 0 and 5 are none
	if random.IntN(3) > 0 {
		action = verdict.Allow
	}
	v := verdict.Verdict{Action: action}
	if action > verdict.Allow && random.IntN(4) > 0 {
		v = finds(action, severity, "/a")
	}
	if action == verdict.Redact && len(v.Findings) == 0 {
		v = finds(action, severity, "/a")
	}
	stage := random.IntN(3)
	weak := len(v.Findings) > 0 && severity != verdict.SeverityUnspecified && severity < threshold
	stops = mode == Enforce && (!action.Valid() || action == verdict.Block && !weak)
	m = named(fmt.Sprintf("m%d", i), stage, says(v), func(p *Policy) { p.Mode, p.Threshold = mode, threshold })
	return m, stops, fmt.Sprintf("m%d stage %d %s %s %s below %s", i, stage, modeNames[mode], action, severity, threshold)
}
