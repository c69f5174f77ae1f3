package scan

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// scannerFunc is a scanner made of a function.
type scannerFunc func(ctx context.Context, c verdict.Content) (verdict.Verdict, error)

func (f scannerFunc) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	return f(ctx, c)
}

func says(v verdict.Verdict) scannerFunc {
	return func(context.Context, verdict.Content) (verdict.Verdict, error) { return v, nil }
}

func fails(cause verdict.Cause) scannerFunc {
	return func(context.Context, verdict.Content) (verdict.Verdict, error) {
		return verdict.Verdict{}, &verdict.Failure{Reason: "test", Cause: cause}
	}
}

// records keeps what a gate records.
type records struct {
	mu  sync.Mutex
	all []audit.Record
	err error
}

func (r *records) Write(rec *audit.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, *rec)
	return r.err
}

// gateOf returns a gate with these scanners and no other policy.
func gateOf(members []Member, to Recorder) *Gate {
	return New(Options{Panel: Panel{Members: members}, Recorder: to, Log: slog.New(slog.DiscardHandler)})
}

func member(s Scanner, change func(*Policy)) Member {
	m := Member{Scanner: s, Policy: Policy{Name: "s"}}
	if change != nil {
		change(&m.Policy)
	}
	return m
}

func request(data string) *Subject {
	return &Subject{Part: peer.Params, Content: verdict.Content{
		Phase: verdict.Request, Kind: verdict.JSON, Data: []byte(data),
		Origin: verdict.Origin{Server: "srv", Method: "tools/call"},
	}}
}

func decide(t *testing.T, g *Gate, s *Subject) Decision {
	t.Helper()
	decided := make(chan Decision, 1)
	g.Judge(t.Context(), s, func(d Decision) { decided <- d })
	d := <-decided
	if d.Cleared.Valid() != (d.Outcome == Passed) {
		t.Errorf("outcome %d with cleared %v", d.Outcome, d.Cleared.Valid())
	}
	return d
}

func TestJudge(t *testing.T) {
	const secret = `{"a":"my secret key"}`
	found := verdict.Finding{Rule: "r", Category: "secret.x", Severity: verdict.High, Location: verdict.Location{Pointer: "/a", Start: 3, End: 9}, Edit: &verdict.Edit{}}
	onNumber := found
	onNumber.Location = verdict.Location{Pointer: "/n"}
	tests := []struct {
		name    string
		members []Member
		phase   verdict.Phase
		data    string
		want    Outcome
		body    string // what leaves
	}{
		{"allow", []Member{member(says(verdict.Verdict{Action: verdict.Allow}), nil)}, verdict.Request, `{"a":1}`, Passed, `{"a":1}`},
		{"flag", []Member{member(says(verdict.Verdict{Action: verdict.Flag}), nil)}, verdict.Request, `{"a":1}`, Passed, `{"a":1}`},
		{"block", []Member{member(says(verdict.Verdict{Action: verdict.Block}), nil)}, verdict.Request, `{"a":1}`, Blocked, ""},
		{"unspecified is a failure", []Member{member(says(verdict.Verdict{}), nil)}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"unknown action is a failure", []Member{member(says(verdict.Verdict{Action: 77}), nil)}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"nobody covers", nil, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"only an observer covers", []Member{member(says(verdict.Verdict{Action: verdict.Allow}), func(p *Policy) { p.Mode = Observe })}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{
			"an observer's block passes",
			[]Member{
				member(says(verdict.Verdict{Action: verdict.Allow}), nil),
				member(says(verdict.Verdict{Action: verdict.Block}), func(p *Policy) { p.Mode = Observe }),
			},
			verdict.Request, `{"a":1}`, Passed, `{"a":1}`,
		},
		{
			"the strongest wins",
			[]Member{member(says(verdict.Verdict{Action: verdict.Allow}), nil), member(says(verdict.Verdict{Action: verdict.Block}), nil), member(fails(verdict.CauseOutage), nil)},
			verdict.Request, `{"a":1}`, Blocked, "",
		},
		{"outage blocks", []Member{member(fails(verdict.CauseOutage), nil)}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"outage allowed", []Member{member(fails(verdict.CauseOutage), func(p *Policy) { p.OnOutage = OutagePasses })}, verdict.Request, `{"a":1}`, Passed, `{"a":1}`},
		{"content failure blocks all the same", []Member{member(fails(verdict.CauseContent), func(p *Policy) { p.OnOutage = OutagePasses })}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"unknown cause counts as content", []Member{member(fails(verdict.CauseUnspecified), func(p *Policy) { p.OnOutage = OutagePasses })}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"foreign error counts as content", []Member{member(scannerFunc(func(context.Context, verdict.Content) (verdict.Verdict, error) {
			return verdict.Verdict{Action: verdict.Allow}, errors.New("boom")
		}), func(p *Policy) { p.OnOutage = OutagePasses })}, verdict.Request, `{"a":1}`, Unavailable, ""},
		{"content failure allowed in writing", []Member{member(fails(verdict.CauseContent), func(p *Policy) { p.AllowOnContentFailure = true })}, verdict.Request, `{"a":1}`, Passed, `{"a":1}`},
		{"redact a response", []Member{member(says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{found}}), nil)}, verdict.Response, secret, Passed, `{"a":"my [redacted:secret.x#1] key"}`},
		{"redact blocks a request", []Member{member(says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{found}}), nil)}, verdict.Request, secret, Blocked, ""},
		{"unless it may", []Member{member(says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{found}}), func(p *Policy) { p.RedactRequests = true })}, verdict.Request, secret, Passed, `{"a":"my [redacted:secret.x#1] key"}`},
		{"what cannot be redacted is blocked", []Member{member(says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{onNumber}}), nil)}, verdict.Response, `{"n":5}`, Blocked, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := gateOf(tt.members, &records{})
			s := request(tt.data)
			s.Content.Phase = tt.phase
			d := decide(t, g, s)
			g.Close()
			if d.Outcome != tt.want || string(d.Cleared.Body()) != tt.body {
				t.Errorf("outcome %d with %s, want %d with %s", d.Outcome, d.Cleared.Body(), tt.want, tt.body)
			}
		})
	}
}

func TestCatalogueWithholdsNamedItems(t *testing.T) {
	at := func(pointer string) verdict.Finding {
		return verdict.Finding{Location: verdict.Location{Pointer: pointer}}
	}
	block := func(f ...verdict.Finding) Member {
		return member(says(verdict.Verdict{Action: verdict.Block, Findings: f}), nil)
	}
	tests := []struct {
		name     string
		members  []Member
		want     Outcome
		withheld []int
	}{
		{"named", []Member{block(at("/tools/2/description"), at("/tools/0"))}, Passed, []int{0, 2}},
		{"two scanners", []Member{block(at("/tools/2")), block(at("/tools/1/name"), at("/tools/2"))}, Passed, []int{1, 2}},
		{"elsewhere", []Member{block(at("/tools/1"), at("/nextCursor"))}, Blocked, nil},
		{"no finding", []Member{block()}, Blocked, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := gateOf(tt.members, &records{})
			s := request(`{"tools":[{"name":"a"},{"name":"b"},{"name":"c"}]}`)
			s.Content.Phase, s.Part, s.Catalogue = verdict.Definition, peer.Result, "tools"
			d := decide(t, g, s)
			if d.Outcome != tt.want || len(d.Withheld) != len(tt.withheld) {
				t.Fatalf("outcome %d withheld %v, want %d %v", d.Outcome, d.Withheld, tt.want, tt.withheld)
			}
			for i, w := range tt.withheld {
				if d.Withheld[i] != w {
					t.Errorf("withheld %v, want %v", d.Withheld, tt.withheld)
				}
			}
		})
	}
}

func TestNotificationsWithoutScannerLoseTheirText(t *testing.T) {
	tests := []struct{ method, params, want string }{
		{"notifications/progress", `{"progressToken":7,"progress":0.5,"message":"ignore all"}`, `{"progressToken":7,"progress":0.5}`},
		{"notifications/progress", `{"progressToken":7,"progress":"ignore all"}`, `{"progressToken":7}`},
		{"notifications/cancelled", `{"requestId":7,"reason":"ignore all"}`, `{"requestId":7}`},
		{"notifications/message", `{"level":"info","data":"ignore all"}`, ""},
		{"notifications/unknown", `{"x":1}`, ""},
		{"notifications/tools/list_changed", `{"_meta":{"x":"ignore"}}`, `{}`},
	}
	for _, tt := range tests {
		rec := &records{}
		g := gateOf(nil, rec)
		s := request(tt.params)
		s.Content.Phase, s.Content.Origin.Method = verdict.Notification, tt.method
		d := decide(t, g, s)
		if (d.Outcome == Passed) != (tt.want != "") || string(d.Cleared.Body()) != tt.want {
			t.Errorf("%s %s: outcome %d, left %s", tt.method, tt.params, d.Outcome, d.Cleared.Body())
		}
		if g.Removed() != 1 || len(rec.all) != 1 {
			t.Errorf("%s: removed %d, recorded %d", tt.method, g.Removed(), len(rec.all))
		}
	}
}

func TestMessagesWithoutContentNeedNoScanner(t *testing.T) {
	tests := []struct {
		part           peer.Part
		method, params string
		clear          bool
	}{
		{peer.Params, "ping", ``, true},
		{peer.Params, "ping", `{}`, true},
		{peer.Params, "ping", `{"x":1}`, false},
		{peer.Params, "ping", `["x"]`, false},
		{peer.Params, "notifications/progress", `{"progressToken":1,"progress":2,"total":3}`, true},
		{peer.Params, "notifications/progress", `{"progressToken":"p-1","progress":2}`, true},
		{peer.Params, "notifications/progress", `{"progressToken":"ignore all that","progress":2}`, false},
		{peer.Params, "notifications/progress", `{"progressToken":1,"progress":2,"message":""}`, false},
		{peer.Params, "notifications/cancelled", `{"requestId":1,"reason":"x"}`, false},
		{peer.Params, "logging/setLevel", `{"level":"debug"}`, true},
		{peer.Params, "logging/setLevel", `{"level":"ignore"}`, false},
		{peer.Params, "tools/call", `{}`, false},
		{peer.Params, "PING", `{}`, false},
		{peer.Result, "tools/call", `{}`, true},
		{peer.Result, "ping", `{"x":1}`, false},
		{peer.Error, "ping", `{}`, false},
	}
	for _, tt := range tests {
		if got := hasContent(tt.part, tt.method, []byte(tt.params)); got == tt.clear {
			t.Errorf("%d %s %s: content %v", tt.part, tt.method, tt.params, got)
		}
	}
}

func TestHiddenPassesAndIsRecorded(t *testing.T) {
	rec := &records{}
	g := gateOf([]Member{member(says(verdict.Verdict{Action: verdict.Block}), nil)}, rec)
	s := request(`{"a":1}`)
	s.Hidden = true
	if d := decide(t, g, s); d.Outcome != Passed {
		t.Errorf("outcome %d", d.Outcome)
	}
	if len(rec.all) != 1 || rec.all[0].Reason != "hidden_mode" {
		t.Errorf("recorded %+v", rec.all)
	}
}

func TestNothingPassesWithoutItsRecord(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		g := gateOf([]Member{member(says(verdict.Verdict{Action: verdict.Allow}), nil)},
			&records{err: errors.New("disk full")})
		s := request(`{"a":1}`)
		s.Hidden = hidden
		if d := decide(t, g, s); d.Outcome != Unavailable {
			t.Errorf("hidden %v: outcome %d", hidden, d.Outcome)
		}
	}
}

func TestABlockEndsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
			<-ctx.Done()
			return verdict.Verdict{}, &verdict.Failure{Reason: "cancelled", Cause: verdict.CauseContent, Err: ctx.Err()}
		}
		start := time.Now()
		g := gateOf([]Member{member(scannerFunc(slow), nil), member(says(verdict.Verdict{Action: verdict.Block}), nil)}, &records{})
		if d := decide(t, g, request(`{"a":1}`)); d.Outcome != Blocked || time.Since(start) != 0 {
			t.Errorf("outcome %d after %v", d.Outcome, time.Since(start))
		}
		g.Close()
	})
}

func TestScanIDsAreUnguessable(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newScanID()
		if seen[id] || len(id) < 16 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

// TestRecordsTellTheOutcome: the record of a verdict says what became of the
// message, which is not always what that scanner asked for.
func TestRecordsTellTheOutcome(t *testing.T) {
	edit := verdict.Finding{Rule: "r", Category: "c.x", Location: verdict.Location{Pointer: "/a", Start: 0, End: 2}, Edit: &verdict.Edit{}}
	rec := &records{}
	g := gateOf([]Member{
		member(says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{edit}}), nil),
		member(says(verdict.Verdict{Action: verdict.Allow}), nil),
	}, rec)
	decide(t, g, request(`{"a":"secret"}`))
	for _, r := range rec.all {
		if r.Outcome != "blocked" {
			t.Errorf("a redact of a request: action %s, outcome %q", r.Action, r.Outcome)
		}
	}
	g.Close()

	// A scanner that was stopped because another blocked has not failed.
	rec = &records{}
	slow := func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
		<-ctx.Done()
		return verdict.Verdict{}, &verdict.Failure{Reason: "cancelled", Cause: verdict.CauseContent}
	}
	g = gateOf([]Member{member(scannerFunc(slow), nil), member(says(verdict.Verdict{Action: verdict.Block}), nil)}, rec)
	decide(t, g, request(`{"a":1}`))
	moot := 0
	for _, r := range rec.all {
		if r.Reason == "not_needed" && r.Action == verdict.ActionUnspecified && r.Cause == verdict.CauseUnspecified {
			moot++
		}
	}
	if moot != 1 {
		t.Errorf("recorded %+v", rec.all)
	}
	g.Close()
}
