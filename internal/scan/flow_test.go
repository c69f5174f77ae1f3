package scan

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/internal/verdict"
)

const aKey = "AKIAZ5GMXQ7KJ2RTPWNB"

// finder locates the key in the string at /a and says what it is told to.
func finder(action verdict.Action) scannerFunc {
	return categorised(action, "secret.aws", aKey)
}

func categorised(action verdict.Action, category, key string) scannerFunc {
	return func(_ context.Context, c verdict.Content) (verdict.Verdict, error) {
		text, pointer := c.Data, ""
		if c.Kind == verdict.JSON {
			pointer = "/a"
			text = verdict.Texts(c.Data, []string{pointer})[0]
		}
		at := bytes.Index(text, []byte(key))
		if at < 0 {
			return verdict.Verdict{Action: verdict.Allow}, nil
		}
		f := verdict.Finding{
			Rule: "r/key", Category: category, Severity: verdict.High,
			Location: verdict.Location{Pointer: pointer, Start: at, End: at + len(key)},
		}
		if action == verdict.Redact {
			f.Edit = &verdict.Edit{}
		}
		return verdict.Verdict{Action: action, Findings: []verdict.Finding{f}}, nil
	}
}

// of makes a subject one of a server and a principal.
func (s *Subject) of(server, principal string) *Subject {
	s.Content.Origin.Server, s.Content.Origin.Principal = server, principal
	return s
}

func flowing(prefix string) string { return `{"a":"` + prefix + aKey + `"}` }

// gives has server a give the key to principal p.
func gives(t *testing.T, g *Gate) {
	t.Helper()
	if d := decide(t, g, response(flowing("the key is ")).of("a", "p")); d.Outcome != Passed {
		t.Fatalf("the answer did not pass: outcome %d", d.Outcome)
	}
}

// TestASecretOfAnotherServerIsBlocked, whatever the verdict lets pass.
func TestASecretOfAnotherServerIsBlocked(t *testing.T) {
	for _, action := range []verdict.Action{verdict.Allow, verdict.Flag} {
		g, rec := gateWith(t, Panel{Members: []Member{member(finder(action), nil)}})
		gives(t, g)
		d := decide(t, g, request(flowing("use ")).of("b", "p"))
		if d.Outcome != Blocked {
			t.Fatalf("%s: outcome %d", action, d.Outcome)
		}
		r := rec.sole(t, "relay")
		if r.Reason != "cross_server_secret" || r.Action != verdict.Block || r.Outcome != "blocked" || r.ScanID != d.ScanID ||
			r.Server != "b" || len(r.Findings) != 1 || r.Findings[0].Rule != "relay/cross-server-secret" ||
			r.Findings[0].Category != "secret.aws" || r.Findings[0].Location.Pointer != "/a" {
			t.Errorf("%s: recorded %+v", action, r)
		}
		if strings.Contains(fmt.Sprintf("%+v", rec.all), aKey) {
			t.Error("a record holds the secret")
		}
		for _, s := range []*Subject{
			request(flowing("")).of("a", "p"),       // where it is from
			request(flowing("")).of("b", "q"),       // another principal
			request(`{"a":"other"}`).of("b", "p"),   // no secret
			response(flowing("")).of("b", "q"),      // towards a client
			request(`{"b":"`+aKey+`"}`).of("b", ""), // nobody finds it
		} {
			if d := decide(t, g, s); d.Outcome != Passed {
				t.Errorf("%s: %s to %s of %q: outcome %d", action, s.Content.Data, s.Content.Origin.Server, s.Content.Origin.Principal, d.Outcome)
			}
		}
	}
}

// TestWhereASecretIsRemembered: whatever reached the client, and nothing else.
func TestWhereASecretIsRemembered(t *testing.T) {
	plain := func(c *verdict.Content) {}
	tests := []struct {
		name    string
		panel   Panel
		give    *Subject
		change  func(c *verdict.Content)
		crosses bool
	}{
		{"an answer", Panel{}, response(flowing("")), plain, true},
		{"a server's request", Panel{}, response(flowing("")), func(c *verdict.Content) { c.Phase = verdict.ServerRequest }, true},
		{"a notification", Panel{}, response(flowing("")), func(c *verdict.Content) { c.Phase = verdict.Notification }, true},
		{"a definition", Panel{}, response(flowing("")), func(c *verdict.Content) { c.Phase = verdict.Definition }, true},
		{"what nobody in particular was told", Panel{}, response(flowing("")), func(c *verdict.Content) { c.Origin.Principal = "" }, true},
		{"from an observer", Panel{Members: []Member{
			named("o", 0, finder(verdict.Block), func(p *Policy) { p.Mode = Observe }),
			named("e", 0, says(verdict.Verdict{Action: verdict.Allow}), nil),
		}}, response(flowing("")), plain, false},
		{"redacted", Panel{Members: []Member{member(byPhase(finder(verdict.Redact), finder(verdict.Flag)), nil)}}, response(flowing("")), plain, false},
		{"redacted by another", Panel{Members: []Member{
			named("f", 0, finder(verdict.Flag), nil),
			named("r", 0, inResponses(finder(verdict.Redact)), nil),
		}}, response(flowing("")), plain, false},
		{"redacted later", Panel{Members: []Member{
			named("f", 0, finder(verdict.Flag), nil),
			named("r", 1, inResponses(finder(verdict.Redact)), nil),
		}}, response(flowing("")), plain, false},
		{"blocked later", Panel{Members: []Member{
			named("f", 0, finder(verdict.Flag), nil),
			named("b", 1, inResponses(finder(verdict.Block)), nil),
		}}, response(flowing("")), plain, false},
		{"weaker than the threshold", Panel{Members: []Member{member(finder(verdict.Redact), func(p *Policy) { p.Threshold = verdict.Critical })}}, response(flowing("")), plain, true},
		{"no secret by its category", Panel{Members: []Member{member(categorised(verdict.Flag, "secretive", aKey), nil)}}, response(flowing("")), plain, false},
		{"too short", Panel{Members: []Member{member(categorised(verdict.Flag, "secret", aKey[:7]), nil)}}, response(flowing("")), plain, false},
		{"excepted", Panel{Exceptions: []Exception{excepts("r/", "read_file", "")}}, response(flowing("")), plain, false},
		{"what the client said itself", Panel{}, response(flowing("")), func(c *verdict.Content) { c.Request = []byte(flowing("")) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.panel.Members == nil {
				tt.panel.Members = []Member{member(finder(verdict.Flag), nil)}
			}
			g, rec := gateWith(t, tt.panel)
			s := tt.give.of("a", "p")
			tt.change(&s.Content)
			decide(t, g, s)
			d := decide(t, g, request(flowing("use ")).of("b", "p"))
			if (d.Outcome == Blocked) != tt.crosses || (len(rec.by("relay")) > 0) != tt.crosses {
				t.Errorf("outcome %d, recorded %+v", d.Outcome, rec.by("relay"))
			}
		})
	}
}

// inResponses has a scanner judge answers only.
func inResponses(s scannerFunc) scannerFunc {
	return byPhase(s, says(verdict.Verdict{Action: verdict.Allow}))
}

// byPhase has one scanner judge answers, and another one the rest.
func byPhase(answers, rest scannerFunc) scannerFunc {
	return func(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
		if c.Phase == verdict.Response {
			return answers(ctx, c)
		}
		return rest(ctx, c)
	}
}

// TestASecretInAnOpaquePart is one too, on both ways.
func TestASecretInAnOpaquePart(t *testing.T) {
	const opaque = `{"content":[{"type":"image","mimeType":"image/png","data":"QUtJQVo1R01YUTdLSjJSVFBXTkI="}]}`
	for _, way := range [][2]string{{opaque, flowing("")}, {flowing(""), opaque}} {
		g, rec := gateWith(t, Panel{Members: []Member{member(inText(finder(verdict.Flag)), nil)}})
		decide(t, g, response(way[0]).of("a", "p"))
		if d := decide(t, g, request(way[1]).of("b", "p")); d.Outcome != Blocked {
			t.Errorf("%s: outcome %d, recorded %+v", way[1], d.Outcome, rec.all)
		}
	}
}

// inText has a scanner judge content that has no /a as it is.
func inText(s scannerFunc) scannerFunc {
	return func(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
		if c.Kind == verdict.JSON && !strings.HasPrefix(string(c.Data), `{"a"`) {
			return verdict.Verdict{Action: verdict.Allow}, nil
		}
		return s(ctx, c)
	}
}

// TestWithheldItemsGiveNothingOut, others do.
func TestWithheldItemsGiveNothingOut(t *testing.T) {
	for pointer, crosses := range map[string]bool{"/tools/0": false, "/tools/1": true} {
		flag := finds(verdict.Flag, verdict.High, "/tools/0/name")
		flag.Findings[0].Location.End = len(aKey)
		judge := func(v verdict.Verdict) scannerFunc {
			return func(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
				if c.Phase == verdict.Definition {
					return v, nil
				}
				return finder(verdict.Allow)(ctx, c)
			}
		}
		g, _ := gateWith(t, Panel{Members: []Member{
			named("f", 0, judge(flag), nil), named("b", 1, judge(finds(verdict.Block, verdict.High, pointer)), nil),
		}})
		decide(t, g, catalogue(`{"tools":[{"name":"`+aKey+`"},{"name":"b"}]}`).of("a", ""))
		if d := decide(t, g, request(flowing("")).of("b", "p")); (d.Outcome == Blocked) != crosses {
			t.Errorf("%s withheld: outcome %d", pointer, d.Outcome)
		}
	}
}

// TestWhatGoesToAServer: a client's notification as well, and nothing whose
// secret is taken out.
func TestWhatGoesToAServer(t *testing.T) {
	g, _ := gateWith(t, Panel{Members: []Member{member(finder(verdict.Flag), nil)}})
	gives(t, g)
	s := request(flowing("")).of("b", "p")
	s.Content.Phase, s.ToServer = verdict.Notification, true
	if d := decide(t, g, s); d.Outcome != Blocked {
		t.Errorf("a notification to another server: outcome %d", d.Outcome)
	}
	g.Swap(Panel{Members: []Member{member(finder(verdict.Redact), func(p *Policy) { p.RedactRequests = true })}})
	if d := decide(t, g, request(flowing("use ")).of("b", "p")); d.Outcome != Passed || strings.Contains(string(d.Cleared.Body()), aKey) {
		t.Errorf("redacted: outcome %d with %s", d.Outcome, d.Cleared.Body())
	}
	// Another panel is no reason to forget.
	g.Swap(Panel{Members: []Member{member(finder(verdict.Allow), nil)}})
	if d := decide(t, g, request(flowing("use ")).of("b", "p")); d.Outcome != Blocked {
		t.Errorf("after a swap: outcome %d", d.Outcome)
	}
	// What both servers gave out may go to both, and to no third one.
	decide(t, g, response(flowing("")).of("b", "p"))
	for server, want := range map[string]Outcome{"a": Passed, "b": Passed, "c": Blocked} {
		if d := decide(t, g, request(flowing("")).of(server, "p")); d.Outcome != want {
			t.Errorf("to %s: outcome %d", server, d.Outcome)
		}
	}
}

// TestNoLaterStageSeesACrossingSecret: it is stopped at once.
func TestNoLaterStageSeesACrossingSecret(t *testing.T) {
	later := &witness{}
	g, _ := gateWith(t, Panel{Members: []Member{named("f", 0, finder(verdict.Flag), nil), named("later", 1, later, nil)}})
	gives(t, g)
	decide(t, g, request(flowing("")).of("b", "p"))
	if seen := later.asked(); len(seen) != 1 {
		t.Errorf("it was asked %q", seen)
	}
}

func TestExceptionsOfTheFlowRule(t *testing.T) {
	tests := []struct {
		name   string
		except Exception
		want   Outcome
	}{
		{"of the rule", excepts("relay/cross-server-secret", "", ""), Passed},
		{"of the rule, tool and place", excepts("relay/cross-server-secret", "deploy", "/a"), Passed},
		{"of another tool", excepts("relay/cross-server-secret", "read", ""), Blocked},
		{"of another place", excepts("relay/cross-server-secret", "", "/b"), Blocked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, rec := gateWith(t, Panel{Members: []Member{member(finder(verdict.Flag), nil)}, Exceptions: []Exception{tt.except}})
			gives(t, g)
			s := request(flowing("")).of("b", "p")
			s.Content.Origin.Target = "deploy"
			if d := decide(t, g, s); d.Outcome != tt.want {
				t.Errorf("outcome %d", d.Outcome)
			}
			r := rec.sole(t, "relay")
			if excepted := tt.want == Passed; r.Action != verdict.Block || (r.Effective == verdict.Allow) != excepted || (len(r.Excepted) == 1) != excepted {
				t.Errorf("recorded %+v", r)
			}
		})
	}
	// Of the scanner's own finding, in the request.
	g, rec := gateWith(t, Panel{Members: []Member{member(finder(verdict.Flag), nil)}, Exceptions: []Exception{excepts("r/key", "deploy", "")}})
	gives(t, g)
	s := request(flowing("")).of("b", "p")
	s.Content.Origin.Target = "deploy"
	if d := decide(t, g, s); d.Outcome != Passed || len(rec.by("relay")) != 0 {
		t.Errorf("outcome %d", d.Outcome)
	}
}

// TestFlowsAtTheSameTime is for -race.
func TestFlowsAtTheSameTime(t *testing.T) {
	g, _ := gateWith(t, Panel{Members: []Member{member(finder(verdict.Flag), nil)}})
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			p := fmt.Sprint("p", i%2)
			for range 100 {
				decide(t, g, response(flowing("")).of("a", p))
				if d := decide(t, g, request(flowing("")).of("b", p)); d.Outcome != Blocked {
					t.Errorf("outcome %d", d.Outcome)
				}
			}
		})
	}
	clients.Wait()
}
