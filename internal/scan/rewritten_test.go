package scan

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/verdict"
)

// writes is a verdict that puts text of the scanner's own in.
func writes(text, pointer string) verdict.Verdict {
	v := finds(verdict.Redact, verdict.High, pointer)
	v.Findings[0].Edit = &verdict.Edit{HasText: true, Text: text}
	return v
}

// onText says one thing about content that holds a word, and allow of others.
func onText(word string, v verdict.Verdict) *witness {
	return &witness{says: func(c verdict.Content) (verdict.Verdict, error) {
		if strings.Contains(string(c.Data), word) {
			return v, nil
		}
		return verdict.Verdict{Action: verdict.Allow}, nil
	}}
}

// TestWhatAScannerWritesIsJudged by the others, once; what they do not let pass
// as it is, is blocked.
func TestWhatAScannerWritesIsJudged(t *testing.T) {
	const before, after = `{"a":"key"}`, `{"a":"now obey"}`
	tests := []struct {
		name  string
		other verdict.Verdict // about the new text
		stage int             // of the other; the author's is 1
		want  Outcome
		body  string
		asked []string
	}{
		{"allowed", verdict.Verdict{Action: verdict.Allow}, 1, Passed, after, []string{before, after}},
		{"flagged", finds(verdict.Flag, verdict.High, "/a"), 1, Passed, after, []string{before, after}},
		{"blocked", finds(verdict.Block, verdict.High, "/a"), 1, Blocked, "", []string{before, after}},
		{"to be redacted", finds(verdict.Redact, verdict.High, "/a"), 1, Blocked, "", []string{before, after}},
		{"without a verdict", verdict.Verdict{}, 1, Unavailable, "", []string{before, after}},
		{"from an earlier stage", finds(verdict.Block, verdict.High, "/a"), 0, Blocked, "", []string{before, after}},
		{"a later stage sees it anyway", verdict.Verdict{Action: verdict.Allow}, 2, Passed, after, []string{after}},
		{"and may redact it", finds(verdict.Redact, verdict.High, "/a"), 2, Passed, `{"a":"[redacted:secret.x#1]"}`, []string{after}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			author := &witness{says: func(verdict.Content) (verdict.Verdict, error) { return writes("now obey", "/a"), nil }}
			other := onText("obey", tt.other)
			g, rec := gateWith(t, Panel{Members: []Member{named("author", 1, author, nil), named("other", tt.stage, other, nil)}})
			d := decide(t, g, response(before))
			if d.Outcome != tt.want || string(d.Cleared.Body()) != tt.body {
				t.Errorf("outcome %d with %s", d.Outcome, d.Cleared.Body())
			}
			if !slices.Equal(other.asked(), tt.asked) || len(author.asked()) != 1 {
				t.Errorf("the other was asked %q, the author %q", other.asked(), author.asked())
			}
			last := rec.by("other")[len(tt.asked)-1]
			if again := len(tt.asked) == 2 && tt.other.Action.Valid(); again != (last.Reason == "rewritten") {
				t.Errorf("recorded %+v", last)
			}
		})
	}
}

func TestTwoAuthorsSeeEachOther(t *testing.T) {
	a := onText("one", writes("ONE", "/a"))
	b := onText("two", writes("TWO", "/b"))
	g, _ := gateWith(t, Panel{Members: []Member{named("a", 0, a, nil), named("b", 0, b, nil)}})
	d := decide(t, g, response(`{"a":"one","b":"two"}`))
	want := []string{`{"a":"one","b":"two"}`, `{"a":"ONE","b":"TWO"}`}
	if d.Outcome != Passed || !slices.Equal(a.asked(), want) || !slices.Equal(b.asked(), want) {
		t.Errorf("outcome %d; asked %q and %q", d.Outcome, a.asked(), b.asked())
	}
}

func TestTheRelaysOwnMarksNeedNoSecondLook(t *testing.T) {
	other := &witness{}
	g, _ := gateWith(t, Panel{Members: []Member{named("a", 0, says(finds(verdict.Redact, verdict.High, "/a")), nil), named("b", 0, other, nil)}})
	if d := decide(t, g, response(`{"a":"key"}`)); d.Outcome != Passed || len(other.asked()) != 1 {
		t.Errorf("outcome %d, asked %q", d.Outcome, other.asked())
	}
}

// TestRulesJudgeWhatScannersWrite: no edit brings in what a rule refuses.
func TestRulesJudgeWhatScannersWrite(t *testing.T) {
	g, rec := gateWith(t, Panel{
		Members: []Member{member(says(writes("bad", "/a")), func(p *Policy) { p.RedactRequests = true })},
		Rules:   []Rule{forbids(`{"a":"bad"}`)},
	})
	if d := decide(t, g, request(`{"a":"good"}`)); d.Outcome != Blocked {
		t.Errorf("outcome %d with %s", d.Outcome, d.Cleared.Body())
	}
	if r := rec.sole(t, "relay"); r.Reason != "test_rule" {
		t.Errorf("recorded %+v", r)
	}
}

// TestRedactionReachesEveryString: wherever a string can stand, and nothing else
// of the message changes.
func TestRedactionReachesEveryString(t *testing.T) {
	tests := []struct{ pointer, before, after string }{
		{"/content/0/text", `{"content":[{"type":"text","text":"key"}]}`, `{"content":[{"type":"text","text":"[redacted:secret.x#1]"}]}`},
		{
			"/structuredContent/rows/1/a~1b",
			`{"structuredContent":{"n":1.50,"rows":[{"a/b":"x"},{"a/b":"key","c":null}]},"content":[]}`,
			`{"structuredContent":{"n":1.50,"rows":[{"a/b":"x"},{"a/b":"[redacted:secret.x#1]","c":null}]},"content":[]}`,
		},
		{"/message", `{"code":-32000,"message":"key"}`, `{"code":-32000,"message":"[redacted:secret.x#1]"}`},
		{"/data", `{"code":-32000,"message":"m","data":"key"}`, `{"code":-32000,"message":"m","data":"[redacted:secret.x#1]"}`},
		{"/data/detail/0", `{"code":1,"message":"m","data":{"detail":["key"]}}`, `{"code":1,"message":"m","data":{"detail":["[redacted:secret.x#1]"]}}`},
		{"/_meta/note", `{"_meta":{"note":"key"},"content":[]}`, `{"_meta":{"note":"[redacted:secret.x#1]"},"content":[]}`},
	}
	for _, tt := range tests {
		g, _ := gateWith(t, Panel{Members: []Member{member(says(finds(verdict.Redact, verdict.High, tt.pointer)), nil)}})
		d := decide(t, g, response(tt.before))
		if d.Outcome != Passed || string(d.Cleared.Body()) != tt.after || !d.Changed {
			t.Errorf("%s: outcome %d with %s", tt.pointer, d.Outcome, d.Cleared.Body())
		}
	}
	// The code of an error is a number: what is found there blocks.
	g, _ := gateWith(t, Panel{Members: []Member{member(says(finds(verdict.Redact, verdict.High, "/code")), nil)}})
	if d := decide(t, g, response(`{"code":-32000,"message":"m"}`)); d.Outcome != Blocked {
		t.Errorf("outcome %d", d.Outcome)
	}
}
