package relay

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// modernMeta is what a modern request says of its sender.
func modernMeta(capabilities, rest string) string {
	return `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"m","version":"1"},` +
		`"io.modelcontextprotocol/clientCapabilities":` + capabilities + rest + `}`
}

// modernCall is a call of a tool by a modern client that can do everything.
func modernCall(id int, rest string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":1},%s%s}}`, id, modernMeta(everything, ""), rest)
}

// again is the same call with the state and answers to its questions.
func again(id int, state, responses string) string {
	return modernCall(id, `,"inputResponses":`+responses+`,"requestState":"`+state+`"`)
}

// visit connects a client that sends one modern request over HTTP.
func (r *rig) visit(principal string) *rig {
	return r.join(peer.Hello{Session: "visit", Principal: principal, Stateless: true, Mirrored: map[string]string{}})
}

// wanted returns the requests and the state of a result that wants input.
func wanted(t *testing.T, frames []string) (requests, state string) {
	t.Helper()
	if len(frames) != 1 || !strings.Contains(frames[0], `"resultType":"input_required"`) {
		t.Fatalf("got %s", frames)
	}
	result := memberOf(frames[0], "result")
	return memberOf(result, "inputRequests"), unquoted(memberOf(result, "requestState"))
}

const accepted = `{"q1":{"action":"accept","content":{"n":1.0}}}`

// soon lets the relay gather questions, and returns what the client got.
func (r *rig) soon() []string {
	time.Sleep(2 * gather)
	return r.got()
}

// TestAParkedCall is asked for, held, answered and goes on, once.
func TestAParkedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		a := r.visit("local")
		token := `,"x":1`
		a.send(strings.Replace(modernCall(5, token), everything, everything+`,"progressToken":"p1"`, 1))
		synctest.Wait()
		c := held()
		if strings.Contains(c.params, "io.modelcontextprotocol") {
			t.Errorf("the server got %s", c.params)
		}
		progress := func(n int) {
			c.says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d}}`,
				between(c.params, `"progressToken":`, "}"), n))
			synctest.Wait()
		}
		progress(1)
		if got := a.got(); len(got) != 1 || !strings.Contains(got[0], `"progressToken":"p1"`) {
			t.Errorf("got %s", got)
		}
		c.says(t, elicit)
		c.says(t, roots)
		requests, state := wanted(t, a.soon())
		want := `{"q1":{"method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{}}}},"q2":{"method":"roots/list"}}`
		if requests != want {
			t.Errorf("wanted %s", requests)
		}
		a.client.Close() // its request was answered
		progress(2)
		progress(3)
		s.took()
		time.Sleep(5 * time.Minute) // the server's deadline does not run

		// The answer to one of the two: the other is asked again.
		b := r.visit("local")
		b.send(strings.Replace(again(6, state, accepted), everything, everything+`,"progressToken":2`, 1))
		synctest.Wait()
		got := b.soon()
		if len(got) != 3 || !strings.Contains(got[0], `"progressToken":2,"progress":2`) || !strings.Contains(got[1], `"progress":3`) {
			t.Errorf("got %s", got)
		}
		if took := s.took(); !slices.Equal(took, []string{`answer 7 {"action":"accept","content":{"n":1.0}}`}) {
			t.Errorf("the server got %s", took)
		}
		requests, next := wanted(t, got[2:])
		if requests != `{"q2":{"method":"roots/list"}}` || next == state {
			t.Errorf("wanted %s", requests)
		}
		b.client.Close()

		// Without a token: progress has nowhere to go.
		d := r.visit("local")
		progress(4)
		d.send(again(7, next, `{"q1":{"action":"decline"},"q2":{"roots":[]}}`))
		progress(5)
		if got := s.took(); !slices.Equal(got, []string{`answer "r" {"roots":[]}`}) {
			t.Errorf("the server got %s", got)
		}
		c.result(`{"content":[{"type":"text","text":"done"}]}`)
		if got := d.soon(); !slices.Equal(got, []string{`{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete"}}`}) {
			t.Errorf("got %s", got)
		}
		if n := r.relay.lot.Len(); n != 0 || s.openQuestions() != 0 || r.relay.servers()[0].unanswered() != 0 {
			t.Errorf("%d are parked", n)
		}
		if err := c.by.(*exchange).parked.ctx.Err(); err == nil {
			t.Error("the call's context lives on")
		}
		// Both states are used up.
		for _, used := range []string{state, next} {
			e := r.visit("local")
			e.wantPart(again(8, used, accepted), `"code":-32602`, "unknown requestState")
		}
		if held() != c {
			t.Error("the call was sent again")
		}
	})
}

// TestTwoRetriesAtOnce: one of them goes on with the call.
func TestTwoRetriesAtOnce(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}}
			held := s.holding()
			r := start(t, nil, s)
			r.ask(toolsList)
			a := r.visit("local")
			a.ask(modernCall(5, ""))
			held().says(t, elicit)
			_, state := wanted(t, a.soon())
			s.took()
			visitors := []*rig{r.visit("local"), r.visit("local")}
			var wg sync.WaitGroup
			for _, v := range visitors {
				wg.Go(func() { v.send(again(6, state, accepted)) })
			}
			wg.Wait()
			synctest.Wait()
			held().result(`{"content":[]}`)
			got := slices.Concat(visitors[0].got(), visitors[1].got())
			all := strings.Join(got, "\n")
			if len(got) != 2 || strings.Count(all, `"content":[]`) != 1 || strings.Count(all, "unknown requestState") != 1 {
				t.Errorf("got %s", got)
			}
			if got := s.took(); len(got) != 1 {
				t.Errorf("the server got %s", got)
			}
		})
	}
}

// TestWhatServersDoWhileACallIsParked reaches whoever comes back.
func TestWhatServersDoWhileACallIsParked(t *testing.T) {
	tests := []struct {
		name    string
		act     func(t *testing.T, s *fakeServer, c *fakeCall)
		want    []string // parts of what the client gets when it comes back, in order
		answers []string // prefixes of what the server gets
	}{
		{"answers", func(_ *testing.T, _ *fakeServer, c *fakeCall) { c.result(`{"content":[]}`) },
			[]string{`"content":[],"resultType":"complete"`}, []string{`answer 7 {"code":-32603`}},
		{"fails", func(_ *testing.T, _ *fakeServer, c *fakeCall) { c.fails(`{"code":-5,"message":"m"}`) },
			[]string{`"error":{"code":-5`}, []string{`answer 7 {"code":-32603`}},
		{"answers something blocked", func(_ *testing.T, _ *fakeServer, c *fakeCall) { c.result(`{"content":"EVIL"}`) },
			[]string{`"type":"SecurityBlock"`}, []string{`answer 7 {"code":-32603`}},
		{"is gone", func(_ *testing.T, _ *fakeServer, c *fakeCall) { c.reply(peer.Reply{Err: peer.ErrGone}) },
			[]string{`may have taken effect`}, []string{`answer 7 {"code":-32603`}},
		{"asks more", func(t *testing.T, _ *fakeServer, c *fakeCall) { c.says(t, roots) },
			[]string{`{"q2":{"method":"roots/list"}}`}, []string{`answer 7 {"action":"accept"`}},
		{"takes it back and asks more", func(t *testing.T, s *fakeServer, c *fakeCall) {
			s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
			c.says(t, roots)
		}, []string{`{"q2":{"method":"roots/list"}}`}, nil},
		{"logs", func(t *testing.T, s *fakeServer, c *fakeCall) {
			for i := range 3 {
				s.conn(0).says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":%d}}`, i))
			}
			c.result(`{"content":[]}`)
		}, []string{`"data":0`, `"data":1`, `"data":2`, `"content":[]`}, []string{`answer 7 {"code":-32603`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}}
				held := s.holding()
				r := start(t, nil, s)
				r.ask(toolsList)
				meta := `,"io.modelcontextprotocol/logLevel":"warning"`
				a := r.visit("local")
				a.ask(strings.Replace(modernCall(5, ""), everything, everything+meta, 1))
				held().says(t, elicit)
				_, state := wanted(t, a.soon())
				s.took()
				tt.act(t, s, held())
				synctest.Wait()
				b := r.visit("local")
				b.send(strings.Replace(again(6, state, accepted), everything, everything+meta, 1))
				got := b.soon()
				if len(got) != len(tt.want) {
					t.Fatalf("got %s", got)
				}
				for i, part := range tt.want {
					if !strings.Contains(got[i], part) {
						t.Errorf("got %s", got[i])
					}
				}
				answers := slices.DeleteFunc(s.took(), func(m string) bool { return !strings.HasPrefix(m, "answer ") })
				if len(answers) != len(tt.answers) || len(answers) == 1 && !strings.HasPrefix(answers[0], tt.answers[0]) {
					t.Errorf("the server got %s", answers)
				}
			})
		})
	}
}

// TestWhatAModernClientIsNotAsked: what it did not declare, may not be asked, or
// cannot stand in an answer.
func TestWhatAModernClientIsNotAsked(t *testing.T) {
	tests := []struct{ name, capabilities, method, frame, want string }{
		{"cannot elicit", `{}`, protocol.ToolsCall, elicit, `answer 7 {"code":-32601`},
		{"an extension", everything, protocol.ToolsCall, `{"jsonrpc":"2.0","id":9,"method":"acme/x/ask","params":{}}`, `answer 9 {"code":-32601`},
		{"during what is not retried", everything, "acme/x/do", elicit, `answer 7 {"code":-32601`},
		{"blocked", everything, protocol.ToolsCall, strings.Replace(elicit, "who?", "EVIL", 1), `answer 7 {"code":-32011`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}}
				var c *fakeCall
				s.onCall = func(_ *fakeConn, fc *fakeCall) { c = fc }
				r := start(t, nil, s)
				r.ask(toolsList)
				a := r.visit("local")
				name := `"name":"s0__x",`
				if tt.method != protocol.ToolsCall {
					name = ""
				}
				a.ask(`{"jsonrpc":"2.0","id":5,"method":"` + tt.method + `","params":{` + name + modernMeta(tt.capabilities, "") + `}}`)
				s.took()
				c.says(t, tt.frame)
				if got := a.soon(); len(got) != 0 {
					t.Errorf("the client got %s", got)
				}
				if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
					t.Errorf("the server got %s", got)
				}
				c.result(`{"content":[]}`)
				if got := a.soon(); len(got) != 1 || !strings.Contains(got[0], `"resultType":"complete"`) {
					t.Errorf("the client got %s", got)
				}
			})
		})
	}
}
