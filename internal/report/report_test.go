package report

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

func TestClasses(t *testing.T) {
	for _, us := range []int64{0, 1, 15, 16, 17, 31, 32, 33, 1000, 12345, 1 << 40, 1<<63 - 1} {
		c := class(uint64(us))
		if top(c) < us || c > 0 && top(c-1) >= us {
			t.Errorf("%d is in class %d, from %d to %d", us, c, top(c-1)+1, top(c))
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h histogram
	var all []int64
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		us := rnd.Int64N(1 << uint(rnd.IntN(30)+1))
		h.add(us)
		all = append(all, us)
	}
	slices.Sort(all)
	for _, q := range []uint64{500, 950, 990, 1000} {
		want := all[(len(all)*int(q)+999)/1000-1]
		if got := h.quantile(q); got < want || float64(got) > float64(want)*1.07+1 {
			t.Errorf("quantile %d is %d, want about %d", q, got, want)
		}
	}
	if got := (&histogram{}).times(); got != (Times{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

// written adds up what a log wrote.
func written(t *testing.T, scanner string, records ...audit.Record) *Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := audit.Open(audit.Options{Path: path, State: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := l.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("{\"time\":\"2026\nnot a record\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	r, err := audit.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := NewBuilder(time.Now().Add(-time.Hour), scanner)
	if err := b.Read(r); err != nil {
		t.Fatal(err)
	}
	return b.Report()
}

// said is a verdict on a message.
func said(scanner, mode, id string, action verdict.Action, outcome string) audit.Record {
	r := audit.Record{
		Event: audit.Verdict, ScanID: id, Server: "s", Target: "t", Phase: verdict.Response, Scanner: scanner, Mode: mode,
		Action: action, Outcome: outcome, ScannerTime: time.Millisecond, RelayTime: 50 * time.Microsecond,
	}
	if action > verdict.Allow {
		r.Findings = []verdict.Finding{{Rule: "rule"}, {Rule: "rule"}, {Rule: "other"}}
	}
	return r
}

func TestReport(t *testing.T) {
	failed := said("acme", "observe", "3", verdict.Block, "")
	failed.Reason, failed.Cause, failed.Findings = "timeout", verdict.CauseContent, nil
	weak := said("acme", "observe", "4", verdict.Block, "")
	weak.Effective, weak.Excepted = verdict.Flag, []int{0, 1}
	cached := said("guard", "enforce", "5", verdict.Allow, "passed")
	cached.Cached = true
	moot := said("late", "enforce", "2", verdict.Allow, "blocked")
	moot.Reason = "not_needed"
	old := said("guard", "enforce", "6", verdict.Block, "blocked")
	old.Time = time.Now().Add(-2 * time.Hour)
	parts := said("guard", "enforce", "7", verdict.Flag, "passed")
	parts.Uninspected = []verdict.Uninspected{{Reason: "media type"}, {Reason: "media type"}}
	records := []audit.Record{
		said("guard", "enforce", "1", verdict.Allow, "passed"), said("acme", "observe", "1", verdict.Redact, ""),
		said("guard", "enforce", "2", verdict.Block, "blocked"), moot, said("acme", "observe", "2", verdict.Block, ""),
		failed, weak, cached, old, parts,
		{Event: audit.Decision, Action: verdict.Allow, Server: "h", Reason: "hidden_mode"},
		{Event: audit.Withheld, Server: "s", Target: "x"},
		{Event: audit.Anomaly, Server: "s", Reason: "late"}, {Event: audit.Anomaly, Server: "s", Reason: "late"},
		{Event: audit.Drift, Server: "s", Target: "x", Outcome: "held", Reason: "url"},
	}
	r := written(t, "", records...)
	if r.Torn != 2 || r.Relay.Count != 4 || len(r.Scanners) != 3 || len(r.Servers) != 2 {
		t.Fatalf("%+v", r)
	}
	acme, guard, late := &r.Scanners[0], &r.Scanners[1], &r.Scanners[2]
	if acme.Messages != 4 || acme.Block != 1 || acme.Redact != 1 || acme.Flag != 1 || acme.Failed != 1 || acme.Times.Count != 3 ||
		!slices.Equal(acme.Failures, []Count{{"content: timeout", 1}}) ||
		!slices.Equal(acme.Rules, []Count{{"block other", 1}, {"block rule", 1}, {"flag other", 1}, {"redact other", 1}, {"redact rule", 1}}) ||
		!slices.Equal(acme.Tools, []Count{{"s t", 3}}) {
		t.Errorf("%+v", acme)
	}
	if guard.Messages != 4 || guard.Cached != 1 || guard.Allow != 2 || guard.Block != 1 || guard.Flag != 1 || guard.Times.Count != 3 ||
		!slices.Equal(guard.Uninspected, []Count{{"media type", 2}}) {
		t.Errorf("%+v", guard)
	}
	if late.NotAsked != 1 || late.Allow != 0 {
		t.Errorf("%+v", late)
	}
	if h, s := r.Servers[0], r.Servers[1]; h.Unscanned != 1 || s.Messages != 4 || s.Passed != 3 || s.Blocked != 1 || s.Withheld != 1 {
		t.Errorf("%+v", r.Servers)
	}
	if !slices.Equal(r.Anomalies, []Count{{"s: late", 2}}) || !slices.Equal(r.Unscanned, []Count{{"hidden_mode", 1}}) ||
		!slices.Equal(r.Drift, []Count{{"s: held url", 1}}) {
		t.Errorf("%+v, %+v", r.Anomalies, r.Unscanned)
	}
	one := written(t, "acme", records...)
	if len(one.Scanners) != 1 || one.Scanners[0].Messages != 4 || len(one.Servers) != 0 {
		t.Errorf("%+v", one)
	}
}

func TestPromote(t *testing.T) {
	good := Scanner{Name: "acme", Messages: 1000, Block: 3, Failed: 2, Times: Times{P99: 5000}}
	for name, test := range map[string]struct {
		change func(s *Scanner)
		ready  bool
	}{
		"good":        {func(*Scanner) {}, true},
		"too few":     {func(s *Scanner) { s.Messages = 10 }, false},
		"fails":       {func(s *Scanner) { s.Failed = 50 }, false},
		"stops much":  {func(s *Scanner) { s.Redact = 100 }, false},
		"takes long":  {func(s *Scanner) { s.Times.P99 = 2_000_000 }, false},
		"nothing yet": {func(s *Scanner) { *s = Scanner{} }, false},
	} {
		s := good
		test.change(&s)
		if e := s.Promote(time.Second); e.Ready != test.ready || e.Ready != (len(e.Against) == 0) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Memory does not grow with what servers make up.
func TestNamesAreBounded(t *testing.T) {
	b := NewBuilder(time.Time{}, "")
	for i := range 5 * maxNames {
		name := fmt.Sprint(i)
		b.Add(&audit.Entry{
			Event: audit.Verdict, ScanID: name, Server: name, Target: name, Scanner: name, Mode: "enforce", Action: "block", Outcome: "blocked",
			Findings: []audit.EntryFinding{{Rule: name}}, Uninspected: []audit.EntryPart{{Reason: name}},
		})
		b.Add(&audit.Entry{Event: audit.Verdict, Scanner: "0", Mode: "enforce", Action: "block", Server: name, Findings: []audit.EntryFinding{{Rule: name}}})
		b.Add(&audit.Entry{Event: audit.Anomaly, Server: name})
	}
	r := b.Report()
	if len(r.Scanners) > maxNames || len(r.Servers) > maxNames+1 || len(r.Anomalies) > maxNames+1 || len(r.Scanners[0].Rules) > maxNames+1 {
		t.Errorf("%d scanners, %d servers, %d anomalies, %d rules", len(r.Scanners), len(r.Servers), len(r.Anomalies), len(r.Scanners[0].Rules))
	}
	if len(b.seen.ids) > len(b.seen.ring) {
		t.Errorf("%d scan ids", len(b.seen.ids))
	}
	if r.Scanners[0].Rules[0].Name != Others {
		t.Errorf("%+v", r.Scanners[0].Rules[0])
	}
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "audit.jsonl")
	l, err := audit.Open(audit.Options{Path: path, State: b.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	const records = 1000
	for i := range records {
		r := said("guard", "enforce", fmt.Sprint(i), verdict.Flag, "passed")
		if err := l.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
	_ = l.Close()
	for b.Loop() {
		r, err := audit.OpenReader(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := NewBuilder(time.Time{}, "").Read(r); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
