package scan

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// scanTime is how long a scan lasts over the network.
const scanTime = 150 * time.Millisecond

// slow is a scanner that takes its time.
func slow(s scannerFunc) scannerFunc {
	return func(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
		select {
		case <-time.After(scanTime):
			return s(ctx, c)
		case <-ctx.Done():
			return verdict.Verdict{}, &verdict.Failure{Reason: "cancelled"}
		}
	}
}

func calling(name string, s Scanner, change func(*Policy)) Member {
	m := member(s, change)
	m.Name = name
	return m
}

func TestJudgeEarly(t *testing.T) {
	allow, block := says(verdict.Verdict{Action: verdict.Allow}), says(verdict.Verdict{Action: verdict.Block})
	redact := says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{{
		Rule: "r", Category: "secret.x", Severity: verdict.High, Location: verdict.Location{Pointer: "/a"}, Edit: &verdict.Edit{},
	}}})
	may := func(p *Policy) { p.RedactRequests = true }
	outage := func(p OnOutage) func(*Policy) {
		return func(o *Policy) { o.OnOutage, o.Fallback = p, "other" }
	}
	second := func(change func(*Policy)) func(*Policy) {
		return func(p *Policy) {
			p.Stage = func() (int, bool) { return 1, true }
			if change != nil {
				change(p)
			}
		}
	}
	tests := []struct {
		name    string
		members []Member
		sent    bool
		want    Outcome
	}{
		{"allow", []Member{member(slow(allow), nil)}, true, Passed},
		{"block", []Member{member(slow(block), nil)}, true, Blocked},
		{"a verdict at once", []Member{member(allow, nil)}, false, Passed},
		{"a block at once", []Member{member(block, nil)}, false, Blocked},
		{"redact is too late", []Member{member(slow(redact), may)}, true, Blocked},
		{"redact at once", []Member{member(redact, may)}, false, Passed},
		{"outage blocks", []Member{member(slow(fails(verdict.CauseOutage)), nil)}, true, Unavailable},
		{"outage passes", []Member{member(slow(fails(verdict.CauseOutage)), outage(OutagePasses))}, true, Passed},
		{"content failure", []Member{member(slow(fails(verdict.CauseContent)), outage(OutagePasses))}, true, Unavailable},
		{"a fallback allows", []Member{
			member(slow(fails(verdict.CauseOutage)), outage(OutageFallback)),
			calling("other", slow(allow), func(p *Policy) { p.Mode = Off }),
		}, true, Passed},
		{"a fallback blocks", []Member{
			member(slow(fails(verdict.CauseOutage)), outage(OutageFallback)),
			calling("other", slow(block), func(p *Policy) { p.Mode = Off }),
		}, true, Blocked},
		{"an earlier stage blocks", []Member{member(slow(block), nil), calling("late", slow(allow), second(nil))}, false, Blocked},
		{"an earlier stage allows", []Member{member(slow(allow), nil), calling("late", slow(block), second(nil))}, true, Blocked},
		{"an earlier stage redacts", []Member{member(slow(redact), may), calling("late", slow(allow), second(nil))}, false, Passed},
		{"observers only", []Member{member(slow(allow), func(p *Policy) { p.Mode = Observe })}, false, Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := &records{}
				g := gateOf(tt.members, kept)
				defer g.Close()
				sent := 0
				decided := make(chan Decision, 1)
				g.JudgeEarly(t.Context(), request(`{"a":"b"}`), func(c peer.Cleared) bool {
					sent++
					if len(decided) > 0 || c.Part() != peer.Params || string(c.Body()) != `{"a":"b"}` {
						t.Errorf("sent late, or something else: %+v", c)
					}
					return true
				}, func(d Decision) { decided <- d })
				d := <-decided
				if (sent == 1) != tt.sent || sent > 1 || d.Outcome != tt.want || d.Cleared.Valid() != (d.Outcome == Passed) {
					t.Errorf("sent %d times, outcome %d, want %v and %d", sent, d.Outcome, tt.sent, tt.want)
				}
				g.Close()
				for i := range kept.all {
					if r := &kept.all[i]; r.Mode == "enforce" && r.Overlapped != tt.sent {
						t.Errorf("the record of %s says %v", r.Scanner, r.Overlapped)
					}
				}
			})
		})
	}
}

func TestOnlyRequestsAreJudgedEarly(t *testing.T) {
	const image = `{"a":{"type":"image","mimeType":"image/png","data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="}}`
	for name, change := range map[string]func(s *Subject, g *Gate){
		"response":       func(s *Subject, _ *Gate) { s.Content.Phase = verdict.Response },
		"server request": func(s *Subject, _ *Gate) { s.Content.Phase = verdict.ServerRequest },
		"answer":         func(s *Subject, _ *Gate) { s.Part = peer.Result },
		"binary":         func(s *Subject, _ *Gate) { s.Content.Data = []byte(image) },
		"a secret of another server": func(_ *Subject, g *Gate) {
			g.flow.remember("", "elsewhere", []byte("a secret of theirs"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := gateOf([]Member{member(slow(says(verdict.Verdict{Action: verdict.Allow})), nil)}, &records{})
				defer g.Close()
				s := request(`{"a":"b"}`)
				change(s, g)
				decided := make(chan Decision, 1)
				g.JudgeEarly(t.Context(), s, func(peer.Cleared) bool {
					t.Error("sent before the verdict")
					return true
				}, func(d Decision) { decided <- d })
				<-decided
			})
		})
	}
}

func TestSecretsOfTheServerItselfDoNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFlowMemory()
		m.remember("me", "srv", []byte("own secret"))
		m.remember("other", "elsewhere", []byte("of somebody else"))
		if m.foreign("me", "srv") {
			t.Error("its own secret")
		}
		m.remember("me", "elsewhere", []byte("own secret"))
		if m.foreign("me", "srv") {
			t.Error("a secret that it gave out as well")
		}
		m.remember("me", "elsewhere", []byte("another secret"))
		if !m.foreign("me", "srv") {
			t.Error("a secret of another server")
		}
		time.Sleep(fingerprintsExpire)
		if m.foreign("me", "srv") {
			t.Error("a secret of long ago")
		}
	})
}

func TestWhatWasNotSentIsAnOrdinaryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &records{}
		g := gateOf([]Member{member(slow(says(verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{{
			Rule: "r", Category: "secret.x", Location: verdict.Location{Pointer: "/a"}, Edit: &verdict.Edit{},
		}}})), func(p *Policy) { p.RedactRequests = true })}, kept)
		defer g.Close()
		decided := make(chan Decision, 1)
		g.JudgeEarly(t.Context(), request(`{"a":"b"}`), func(peer.Cleared) bool { return false }, func(d Decision) { decided <- d })
		if d := <-decided; d.Outcome != Passed || kept.all[0].Overlapped {
			t.Errorf("%+v", d)
		}
	})
}

func TestUntil(t *testing.T) {
	for _, may := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			kept := &records{}
			g := gateOf([]Member{member(says(verdict.Verdict{Action: verdict.Allow}), nil)}, kept)
			defer g.Close()
			s := request(`{"a":"b"}`)
			s.Content.Phase, s.Part = verdict.Response, peer.Result
			s.Until = func() bool {
				time.Sleep(time.Second)
				return may
			}
			start := time.Now()
			d := decide(t, g, s)
			want, word := Passed, "passed"
			if !may {
				want, word = Unavailable, "held_back"
			}
			if d.Outcome != want || kept.all[0].Outcome != word || time.Since(start) < time.Second || kept.all[0].RelayTime >= time.Second {
				t.Errorf("%+v, %+v", d, kept.all[0])
			}
		})
	}
}
