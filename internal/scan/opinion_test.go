package scan

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func TestThreshold(t *testing.T) {
	mixed := finds(verdict.Block, verdict.Low, "/a")
	mixed.Findings = append(mixed.Findings, finds(verdict.Block, verdict.Critical, "/b").Findings...)
	unstated := finds(verdict.Block, verdict.Low, "/a")
	unstated.Findings = append(unstated.Findings, finds(verdict.Block, verdict.SeverityUnspecified, "/b").Findings...)
	tests := []struct {
		name string
		says verdict.Verdict
		want Outcome
		body string
	}{
		{"a weaker block flags", finds(verdict.Block, verdict.Medium, "/a"), Passed, `{"a":"x","b":"y"}`},
		{"a weaker redact flags", finds(verdict.Redact, verdict.Medium, "/a"), Passed, `{"a":"x","b":"y"}`},
		{"as severe blocks", finds(verdict.Block, verdict.High, "/a"), Blocked, ""},
		{"one that is severe blocks", mixed, Blocked, ""},
		{"no severity blocks", finds(verdict.Block, verdict.SeverityUnspecified, "/a"), Blocked, ""},
		{"one without severity blocks", unstated, Blocked, ""},
		{"no findings block", verdict.Verdict{Action: verdict.Block}, Blocked, ""},
		{"severe redacts", finds(verdict.Redact, verdict.High, "/a"), Passed, `{"a":"[redacted:secret.x#1]","b":"y"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, rec := gateWith(t, Panel{Members: []Member{member(says(tt.says), func(p *Policy) { p.Threshold = verdict.High })}})
			d := decide(t, g, response(`{"a":"x","b":"y"}`))
			if d.Outcome != tt.want || string(d.Cleared.Body()) != tt.body {
				t.Errorf("outcome %d with %s", d.Outcome, d.Cleared.Body())
			}
			r := rec.sole(t, "s")
			softened := tt.want == Passed && tt.says.Findings[0].Severity < verdict.High
			if r.Action != tt.says.Action || (r.Effective == verdict.Flag) != softened {
				t.Errorf("recorded %s, effective %s", r.Action, r.Effective)
			}
		})
	}
}

// TestThresholdByItem: in a catalogue, each item is judged by what was found in it.
func TestThresholdByItem(t *testing.T) {
	v := finds(verdict.Block, verdict.Low, "/tools/0", "/tools/1/name", "/tools/2")
	v.Findings[1].Severity = verdict.High
	v.Findings = append(v.Findings, finds(verdict.Block, verdict.Low, "/tools/1/description").Findings...)
	g, rec := gateWith(t, Panel{Members: []Member{member(says(v), func(p *Policy) { p.Threshold = verdict.High })}})
	d := decide(t, g, catalogue(`{"tools":[{"name":"a"},{"name":"b","description":""},{"name":"c"}]}`))
	if d.Outcome != Passed || !slices.Equal(d.Withheld, []int{1}) {
		t.Errorf("outcome %d, withheld %v", d.Outcome, d.Withheld)
	}
	if r := rec.sole(t, "s"); len(r.Findings) != 4 {
		t.Errorf("recorded %+v", r)
	}
}

func TestExceptions(t *testing.T) {
	const text = `{"a":"key","b":"key"}`
	tests := []struct {
		name     string
		says     verdict.Verdict
		except   []Exception
		want     Outcome
		body     string
		excepted []int
		counts   verdict.Action // effective; unspecified: as said
	}{
		{"one of one", finds(verdict.Block, verdict.High, "/a"), []Exception{excepts("r", "", "")}, Passed, text, []int{0}, verdict.Allow},
		{"a flag", finds(verdict.Flag, verdict.High, "/a"), []Exception{excepts("r", "", "")}, Passed, text, []int{0}, verdict.Allow},
		{"another rule", finds(verdict.Block, verdict.High, "/a"), []Exception{excepts("q", "", "")}, Blocked, "", nil, 0},
		{"another place", finds(verdict.Block, verdict.High, "/a"), []Exception{excepts("r", "", "/b")}, Blocked, "", nil, 0},
		{"another tool", finds(verdict.Block, verdict.High, "/a"), []Exception{excepts("r", "write", "")}, Blocked, "", nil, 0},
		{"the tool", finds(verdict.Block, verdict.High, "/a"), []Exception{excepts("r", "read", "")}, Passed, text, []int{0}, verdict.Allow},
		{"one of two", finds(verdict.Block, verdict.High, "/a", "/b"), []Exception{excepts("r/b", "", "")}, Blocked, "", []int{1}, 0},
		{"both, each by its own", finds(verdict.Block, verdict.High, "/a", "/b"), []Exception{excepts("r/b", "", ""), excepts("r/a", "", "")}, Passed, text, []int{0, 1}, verdict.Allow},
		{"no findings", verdict.Verdict{Action: verdict.Block}, []Exception{excepts("", "", "")}, Blocked, "", nil, 0},
		{"an edit stays", finds(verdict.Redact, verdict.High, "/a", "/b"), []Exception{excepts("r/a", "", "")}, Passed, `{"a":"key","b":"[redacted:secret.x#1]"}`, []int{0}, 0},
		{"no edit stays", finds(verdict.Redact, verdict.High, "/a", "/b"), []Exception{excepts("r", "", "")}, Passed, text, []int{0, 1}, verdict.Allow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, rec := gateWith(t, Panel{Members: []Member{member(says(tt.says), nil)}, Exceptions: tt.except})
			d := decide(t, g, response(text))
			if d.Outcome != tt.want || string(d.Cleared.Body()) != tt.body {
				t.Errorf("outcome %d with %s", d.Outcome, d.Cleared.Body())
			}
			r := rec.sole(t, "s")
			if r.Action != tt.says.Action || r.Effective != tt.counts || !slices.Equal(r.Excepted, tt.excepted) ||
				len(r.Findings) != len(tt.says.Findings) {
				t.Errorf("recorded %+v", r)
			}
		})
	}
}

// TestARedactWithoutEditsIsAFlag: what is left was never to be replaced.
func TestARedactWithoutEditsIsAFlag(t *testing.T) {
	v := finds(verdict.Redact, verdict.High, "/a", "/b")
	v.Findings[1].Edit = nil
	g, rec := gateWith(t, Panel{Members: []Member{member(says(v), nil)}, Exceptions: []Exception{excepts("r/a", "", "")}})
	d := decide(t, g, request(`{"a":"key","b":"key"}`)) // a redact would block a request
	if r := rec.sole(t, "s"); d.Outcome != Passed || d.Changed || r.Effective != verdict.Flag {
		t.Errorf("outcome %d, recorded %+v", d.Outcome, r)
	}
}

// TestExceptionsInACatalogue go by the item's name, and the rest is withheld.
func TestExceptionsInACatalogue(t *testing.T) {
	v := finds(verdict.Block, verdict.High, "/tools/0/description", "/tools/2")
	for name, tt := range map[string]struct {
		except   []Exception
		withheld []int
	}{
		"one":    {[]Exception{excepts("r", "good", "")}, []int{2}},
		"both":   {[]Exception{excepts("r", "good", ""), excepts("r", "fine", "")}, nil},
		"nobody": {[]Exception{excepts("r", "read_file", "")}, []int{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := gateWith(t, Panel{Members: []Member{member(says(v), nil)}, Exceptions: tt.except})
			s := catalogue(`{"tools":[{"name":"good","description":"x"},{"name":"b"},{"name":"fine"}]}`)
			s.Content.Origin.Target = "read_file"
			if d := decide(t, g, s); d.Outcome != Passed || !slices.Equal(d.Withheld, tt.withheld) {
				t.Errorf("outcome %d, withheld %v", d.Outcome, d.Withheld)
			}
		})
	}
}

// TestAThresholdCountsWhatIsNotExcepted: exceptions come first.
func TestAThresholdCountsWhatIsNotExcepted(t *testing.T) {
	v := finds(verdict.Block, verdict.Critical, "/a")
	v.Findings = append(v.Findings, finds(verdict.Block, verdict.Low, "/b").Findings...)
	g, rec := gateWith(t, Panel{
		Members:    []Member{member(says(v), func(p *Policy) { p.Threshold = verdict.High })},
		Exceptions: []Exception{excepts("r/a", "", "")},
	})
	d := decide(t, g, response(`{"a":"x","b":"y"}`))
	if r := rec.sole(t, "s"); d.Outcome != Passed || r.Effective != verdict.Flag {
		t.Errorf("outcome %d, recorded %+v", d.Outcome, r)
	}
}

// TestAnObserversRecordSaysWhatItWouldHaveDone, with its exceptions and threshold.
func TestAnObserversRecordSaysWhatItWouldHaveDone(t *testing.T) {
	rec := &records{}
	g := gateOf(nil, rec)
	g.Swap(Panel{
		Members: []Member{
			named("o", 0, says(finds(verdict.Block, verdict.Low, "/a")), func(p *Policy) { p.Mode, p.Threshold = Observe, verdict.High }),
			named("e", 0, says(verdict.Verdict{Action: verdict.Allow}), nil),
		},
	})
	decide(t, g, response(`{"a":"x"}`))
	g.Close()
	if r := rec.sole(t, "o"); r.Action != verdict.Block || r.Effective != verdict.Flag {
		t.Errorf("recorded %+v", r)
	}
}

// TestAnExceptionIsForTheNameThatIsCalled: a tool with members of a resource is
// not excepted as what those say.
func TestAnExceptionIsForTheNameThatIsCalled(t *testing.T) {
	for list, tt := range map[string]struct {
		item     string
		withheld []int
	}{
		"tools":             {`{"name":"evil","uri":"good","uriTemplate":"good"}`, []int{0}},
		"prompts":           {`{"name":"evil","uri":"good"}`, []int{0}},
		"resources":         {`{"name":"good","uri":"evil:","uriTemplate":"good"}`, []int{0}},
		"resourceTemplates": {`{"name":"good","uri":"good","uriTemplate":"evil:{x}"}`, []int{0}},
	} {
		t.Run(list, func(t *testing.T) {
			v := finds(verdict.Block, verdict.High, "/"+list+"/0")
			g, _ := gateWith(t, Panel{Members: []Member{member(says(v), nil)}, Exceptions: []Exception{excepts("r", "good", "")}})
			s := catalogue(`{"` + list + `":[` + tt.item + `]}`)
			s.Catalogue = list
			if d := decide(t, g, s); d.Outcome != Passed || !slices.Equal(d.Withheld, tt.withheld) {
				t.Errorf("outcome %d, withheld %v, want %v", d.Outcome, d.Withheld, tt.withheld)
			}
		})
	}
}

// TestAnObserverSeesWhatWasJudged, also when whoever brought the message has gone
// on and uses the subject for what it became.
func TestAnObserverSeesWhatWasJudged(t *testing.T) {
	decided, seen := make(chan struct{}), make(chan string, 1)
	late := scannerFunc(func(_ context.Context, c verdict.Content) (verdict.Verdict, error) {
		seen <- string(c.Data)
		return verdict.Verdict{Action: verdict.Allow}, nil
	})
	slow := func(p *Policy) {
		p.Mode, p.Limit = Observe, time.Minute
		// Asked first of all, so that the content is read only after the decision.
		p.Away = func() bool { <-decided; return false }
		p.OnOutage, p.Fallback = OutageFallback, "s"
	}
	g, _ := gateWith(t, Panel{Members: []Member{member(says(verdict.Verdict{Action: verdict.Allow}), nil), named("o", 0, late, slow)}})
	s := request(`{"a":1}`)
	done := make(chan struct{})
	g.Judge(t.Context(), s, func(Decision) {
		s.Content.Data = []byte(`{"a":2}`)
		close(decided)
		close(done)
	})
	<-done
	if got := <-seen; got != `{"a":1}` {
		t.Errorf("the observer judged %s", got)
	}
}
