package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/definitions"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// finder is a scanner that finds a word wherever it stands, in which catalogue
// items it counts, and fails on another.
type finder struct {
	mu   sync.Mutex
	seen []verdict.Content
}

func (f *finder) Scan(_ context.Context, c verdict.Content) (verdict.Verdict, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, c)
	if bytes.Contains(c.Data, []byte("fail")) {
		return verdict.Verdict{}, &verdict.Failure{Reason: "timeout", Cause: verdict.CauseOutage}
	}
	v := verdict.Verdict{Action: verdict.Allow}
	var tools struct {
		Tools []struct{ Description string }
	}
	found := func(pointer, text string) {
		switch {
		case strings.Contains(text, "evil"):
			v.Action = verdict.Block
		case strings.Contains(text, "odd"):
			v.Action = max(v.Action, verdict.Flag)
		default:
			return
		}
		v.Findings = append(v.Findings, verdict.Finding{Rule: "word", Category: "a.b", Severity: verdict.High, Location: verdict.Location{Pointer: pointer}})
	}
	if c.Phase != verdict.Definition {
		found("", string(c.Data))
		return v, nil
	}
	if err := json.Unmarshal(c.Data, &tools); err != nil {
		return v, &verdict.Failure{Reason: "internal", Cause: verdict.CauseOutage}
	}
	for i, tool := range tools.Tools {
		found("/tools/"+string(rune('0'+i))+"/description", tool.Description)
	}
	return v, nil
}

func lineup(t *testing.T, s scan.Scanner) *Lineup {
	t.Helper()
	policy := scan.Policy{Name: "finder", Terms: scan.Terms{Mode: scan.Observe, Timeout: time.Second}}
	l := NewLineup([]Entrant{{Name: "finder", Panel: scan.Panel{Members: []scan.Member{{Policy: policy, Scanner: s}}}}}, slog.New(slog.DiscardHandler))
	t.Cleanup(l.Close)
	return l
}

func tool(id, label, description string) Item {
	return Item{
		ID: id, Phase: Phase{verdict.Definition}, Label: label, Server: "s",
		JSON: object("name", id, "description", description, "inputSchema", map[string]string{"type": "object"}),
	}
}

// TestItems: what is found is the item's whose text it is, also where other
// definitions stand around it, and an observing scanner's word counts.
func TestItems(t *testing.T) {
	items := []Item{
		tool("good", Benign, "fine"),
		tool("bad", Malicious, "evil"),
		tool("strange", Benign, "odd"),
		{ID: "text", Phase: Phase{verdict.Response}, Label: Malicious, Tier: "semantic", Text: "so evil"},
		{ID: "call", Phase: Phase{verdict.Request}, Label: Benign, JSON: json.RawMessage(`{"name":"x","arguments":{"a":"fine"}}`)},
		{ID: "broken", Phase: Phase{verdict.Request}, Label: Benign, JSON: json.RawMessage(`{"name":"x","arguments":{"a":"fail"}}`)},
		{
			ID: "rug", Phase: Phase{verdict.Definition}, Label: Malicious, Category: "rug_pull", Server: "s",
			JSON: json.RawMessage(`{"previous":{"name":"t","description":"fine","inputSchema":{"type":"object"}},` +
				`"current":{"name":"t","description":"finer","inputSchema":{"type":"object"}}}`),
		},
	}
	s := &finder{}
	l := lineup(t, s)
	var got []string
	var results []*Result
	drift := definitions.Policy{Graded: true, Wording: definitions.ParseAction("hold"), New: definitions.ParseAction("flag")}
	err := Run(t.Context(), l, items, Options{Parallel: 3, Drift: drift}, func(r *Result) {
		line, err := json.Marshal(r)
		if err != nil {
			t.Error(err)
		}
		var short struct {
			ID, Action string
			Findings   []struct{ Rule, Pointer string }
		}
		if err := json.Unmarshal(line, &short); err != nil {
			t.Error(err)
		}
		text := short.ID + " " + short.Action
		for _, f := range short.Findings {
			text += " " + f.Rule + "@" + f.Pointer
		}
		got, results = append(got, text), append(results, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"good allow", "bad block word@/description", "strange flag word@/description", "text block word@",
		"call allow", "broken error", "rug block relay/definition-changed@",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	around := 0
	for i := range s.seen {
		if c := &s.seen[i]; c.Phase == verdict.Definition && strings.Count(string(c.Data), `"inputSchema"`) > 1 {
			around++
		}
	}
	if around < 4 {
		t.Errorf("of the definitions, %d were judged among others", around)
	}
	r := Summarise(results, l.Names())
	if r.Items != 7 || r.Malicious != 3 || r.Failures["finder"]["timeout"] != 1 || r.Unjudged != 0 {
		t.Errorf("the report: %+v", r)
	}
	if n := r.FalsePositives.ByPhase[0]; n.Found != (Rate{1, 2}) || n.Blocked != (Rate{0, 2}) {
		t.Errorf("false positives: %+v", n)
	}
	if len(r.Fired) != 1 || r.Fired[0].Rule != "word" || r.Fired[0].Examples[0] != "strange" {
		t.Errorf("fired: %+v", r.Fired)
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "NO VERDICT of finder: timeout") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestRunEndsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	items := slices.Repeat([]Item{{ID: "x", Phase: Phase{verdict.Response}, Label: Benign, Text: "fine"}}, 100)
	n := 0
	err := Run(ctx, lineup(t, &finder{}), items, Options{}, func(*Result) {
		if n++; n == 3 {
			cancel()
		}
	})
	if err == nil || n == len(items) {
		t.Errorf("after %d items: %v", n, err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	text := `{"id":"1","phase":"tool_description","label":"benign","json":{"name":"x"}}
{"id":"2","phase":"response","label":"malicious","text":"half \ud83d"}

{"id":"3","phase":"request","label":"malicious","json":{"name":"a","arguments":{"b":"\ud83d"}},"tier":"semantic"}
{"id":"3","phase":"request","label":"malicious","json":{}}
{"id":"4","phase":"reply","label":"malicious","json":{}}
{"id":"5","phase":"request","label":"bad","json":{}}
{"phase":"request","label":"benign","json":{}}
nothing
{"id":"6","phase":"response","label":"benign","text":""}`
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	items, skipped, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range items {
		ids = append(ids, items[i].ID+items[i].Tier)
	}
	if want := []string{"1", "2core", "3semantic", "6"}; !slices.Equal(ids, want) {
		t.Errorf("items %q, want %q", ids, want)
	}
	var why []string
	for _, e := range skipped {
		why = append(why, e.Error())
	}
	want := []string{
		"a.jsonl:5: " + errTwice.Error(), "a.jsonl:6: " + errPhase.Error(), "a.jsonl:7: " + errLabel.Error(),
		"a.jsonl:8: " + errID.Error(), "a.jsonl:9: " + errBroken.Error(),
	}
	if !slices.Equal(why, want) {
		t.Errorf("skipped %q", why)
	}
	if _, _, err := ReadDir(t.TempDir()); err == nil {
		t.Error("an empty directory is a corpus")
	}
}

func TestInterval(t *testing.T) {
	for _, test := range []struct {
		rate Rate
		want string
	}{
		{Rate{}, "-"},
		{Rate{0, 10}, "0/10 = 0.0 % [0.0-27.8]"},
		{Rate{5, 10}, "5/10 = 50.0 % [23.7-76.3]"},
		{Rate{20, 20}, "20/20 = 100.0 % [83.9-100.0]"},
	} {
		if got := test.rate.String(); got != test.want {
			t.Errorf("%d of %d: %s, want %s", test.rate.Count, test.rate.Of, got, test.want)
		}
	}
}

// FuzzParse: no line of a corpus, however strange, makes anything but an item or
// an error, and every item becomes a message.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"1","phase":"tool_description","label":"benign","json":{"previous":{"name":"x"},"current":[]}}`))
	f.Add([]byte(`{"id":"1","phase":"response","label":"malicious","json":{"content":1}}`))
	f.Add([]byte(`{"id":"1","phase":"server_request","label":"malicious","json":{"messages":1}}`))
	f.Add([]byte(`{"id":"1","phase":"request","label":"malicious","json":"\ud83d"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		it, err := parse(line, map[string]bool{})
		if err != nil {
			return
		}
		m := it.message(surroundings{same: [][]byte{[]byte(`{"name":"y"}`)}})
		if !json.Valid(m.subject.Content.Data) {
			t.Errorf("%s became %s", line, m.subject.Content.Data)
		}
	})
}
