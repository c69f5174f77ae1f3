package scan

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// TestStagesInTheirOrder: who comes first is asked first, and what it stops
// nobody else sees.
func TestStagesInTheirOrder(t *testing.T) {
	tests := []struct {
		name  string
		first verdict.Verdict
		want  Outcome
		later []string // what the second stage was asked
	}{
		{"allow", verdict.Verdict{Action: verdict.Allow}, Passed, []string{`{"a":"one two"}`}},
		{"flag", finds(verdict.Flag, verdict.High, "/a"), Passed, []string{`{"a":"one two"}`}},
		{"redact", finds(verdict.Redact, verdict.High, "/a"), Passed, []string{`{"a":"[redacted:secret.x#1]"}`}},
		{"block", finds(verdict.Block, verdict.High, "/a"), Blocked, nil},
		{"nothing", verdict.Verdict{}, Unavailable, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			second := &witness{}
			g, rec := gateWith(t, Panel{Members: []Member{named("second", 1, second, nil), named("first", 0, says(tt.first), nil)}})
			d := decide(t, g, response(`{"a":"one two"}`))
			if d.Outcome != tt.want || !slices.Equal(second.asked(), tt.later) {
				t.Errorf("outcome %d, the second stage was asked %q", d.Outcome, second.asked())
			}
			if d.Changed != (tt.first.Action == verdict.Redact) {
				t.Errorf("changed: %v", d.Changed)
			}
			if r := rec.sole(t, "first"); r.Stage != 0 {
				t.Errorf("recorded %+v", r)
			}
			for _, r := range rec.by("second") {
				if r.Stage != 1 || r.ScanID != d.ScanID {
					t.Errorf("recorded %+v", r)
				}
			}
		})
	}
}

// TestWithheldItemsAreNotJudgedAgain: later stages judge the rest of a catalogue,
// and what they say of it is about the places that the whole has.
func TestWithheldItemsAreNotJudgedAgain(t *testing.T) {
	const all = `{"tools":[{"name":"a"},{"name":"b"},{"name":"c","description":"x"},{"name":"d","description":"key"}]}`
	second := &witness{says: func(verdict.Content) (verdict.Verdict, error) {
		return finds(verdict.Block, verdict.High, "/tools/1/description"), nil // c, as it sees it
	}}
	third := &witness{says: func(verdict.Content) (verdict.Verdict, error) {
		return finds(verdict.Redact, verdict.High, "/tools/1/description"), nil // d
	}}
	g, rec := gateWith(t, Panel{Members: []Member{
		named("first", 0, says(finds(verdict.Block, verdict.High, "/tools/1/name")), nil),
		named("second", 1, second, nil), named("third", 2, third, nil),
	}})
	d := decide(t, g, catalogue(all))
	if d.Outcome != Passed || !slices.Equal(d.Withheld, []int{1, 2}) {
		t.Fatalf("outcome %d, withheld %v", d.Outcome, d.Withheld)
	}
	if want := []string{`{"tools":[{"name":"a"},{"name":"c","description":"x"},{"name":"d","description":"key"}]}`}; !slices.Equal(second.asked(), want) {
		t.Errorf("the second stage was asked %q", second.asked())
	}
	if want := []string{`{"tools":[{"name":"a"},{"name":"d","description":"key"}]}`}; !slices.Equal(third.asked(), want) {
		t.Errorf("the third stage was asked %q", third.asked())
	}
	want := `{"tools":[{"name":"a"},{"name":"b"},{"name":"c","description":"x"},{"name":"d","description":"[redacted:secret.x#1]"}]}`
	if string(d.Cleared.Body()) != want {
		t.Errorf("passed %s, want %s", d.Cleared.Body(), want)
	}
	if r := rec.sole(t, "third"); r.Findings[0].Location.Pointer != "/tools/3/description" || r.Outcome != "passed_in_part" {
		t.Errorf("recorded %+v", r)
	}
}

func TestNothingIsLeftToJudge(t *testing.T) {
	second := &witness{}
	g, _ := gateWith(t, Panel{Members: []Member{
		named("first", 0, says(finds(verdict.Block, verdict.High, "/tools/0", "/tools/1")), nil), named("second", 1, second, nil),
	}})
	d := decide(t, g, catalogue(`{"tools":[{"name":"a"},{"name":"b"}]}`))
	if d.Outcome != Passed || len(d.Withheld) != 2 || len(second.asked()) != 0 {
		t.Errorf("outcome %d, withheld %v, asked %q", d.Outcome, d.Withheld, second.asked())
	}
}

// TestScannersOfAStageWorkTogether, and observers delay nobody.
func TestScannersOfAStageWorkTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		allow := verdict.Verdict{Action: verdict.Allow}
		g, rec := gateWith(t, Panel{Members: []Member{
			named("a", 0, waits(time.Second, allow), nil), named("b", 0, waits(time.Second, allow), nil),
			named("c", 1, waits(time.Second, allow), nil),
			named("o", 0, waits(time.Minute, finds(verdict.Block, verdict.High, "")), func(p *Policy) { p.Mode = Observe }),
		}})
		start := time.Now()
		if d := decide(t, g, request(`{"a":1}`)); d.Outcome != Passed || time.Since(start) != 2*time.Second {
			t.Errorf("outcome %d after %v", d.Outcome, time.Since(start))
		}
		g.Close()
		if r := rec.sole(t, "o"); r.Action != verdict.Block || r.Mode != "observe" || r.Outcome != "" {
			t.Errorf("recorded %+v", r)
		}
		if r := rec.sole(t, "c"); r.RelayTime != 0 || r.ScannerTime != time.Second {
			t.Errorf("recorded %v in the scanner, %v in the relay", r.ScannerTime, r.RelayTime)
		}
	})
}

// TestAStageThatIsNotKnownYet is not remembered: a program says what it needs
// when it has started.
func TestAStageThatIsNotKnownYet(t *testing.T) {
	stage, known := 0, false
	late := &witness{}
	g, _ := gateWith(t, Panel{Members: []Member{
		member(late, func(p *Policy) {
			p.Name, p.Stage = "late", func() (int, bool) { return stage, known }
		}),
		named("first", 0, says(finds(verdict.Block, verdict.High, "")), nil),
	}})
	decide(t, g, request(`{"a":1}`))
	before := len(late.asked())
	stage, known = 1, true
	decide(t, g, request(`{"a":1}`))
	if got := len(late.asked()) - before; got != 0 {
		t.Errorf("it was asked %d times after it was known to come later", got)
	}
}
