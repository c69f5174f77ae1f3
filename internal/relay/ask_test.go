package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

const (
	everything = `{"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}`
	elicit     = `{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{}}}}`
	sample     = `{"jsonrpc":"2.0","id":8,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}`
	roots      = `{"jsonrpc":"2.0","id":"r","method":"roots/list"}`
)

// greets performs a legacy client's handshake.
func (r *rig) greets(capabilities string) {
	r.t.Helper()
	r.wantPart(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":`+capabilities+
		`,"clientInfo":{"name":"c","version":"1"}}}`, `"id":0,"result"`)
	r.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

// asked returns the id and the content of the only thing that the client got
// since, which must be a request.
func (r *rig) asked(method string) (id, params string) {
	r.t.Helper()
	got := r.got()
	if len(got) != 1 {
		r.t.Fatalf("the client got %q", got)
	}
	m, err := jsonrpc.Parse([]byte(got[0]), protocol.Message())
	if err != nil || m.Kind() != jsonrpc.Request || m.Method != method {
		r.t.Fatalf("the client got %s", got[0])
	}
	return m.ID.Raw(), string(m.Params)
}

// replies sends the client's answer to a question and returns what came of it.
func (r *rig) replies(id, result string) []string {
	r.t.Helper()
	return r.ask(`{"jsonrpc":"2.0","id":` + id + `,"result":` + result + `}`)
}

// holding has the server keep calls, of which the last is returned.
func (f *fakeServer) holding() func() *fakeCall {
	var last *fakeCall
	f.set(func() {
		f.onCall = func(_ *fakeConn, c *fakeCall) {
			if c.method == protocol.ToolsCall {
				f.set(func() { last = c })
				return
			}
			go c.result(`{}`)
		}
	})
	return func() *fakeCall {
		f.mu.Lock()
		defer f.mu.Unlock()
		return last
	}
}

// TestQuestionsOfALegacyServer: each kind, on the stream of the call and on
// none, is asked under an id of the relay's, and answered under the server's.
func TestQuestionsOfALegacyServer(t *testing.T) {
	tests := []struct{ name, frame, method, params, id, answer string }{
		{"elicitation", elicit, protocol.Elicit, `{"message":"who?","requestedSchema":{"type":"object","properties":{}}}`, "7", `{"action":"accept","content":{"n":9007199254740993}}`},
		{"sampling", sample, protocol.CreateMessage, `{"messages":[],"maxTokens":5}`, "8", `{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}`},
		{"roots", roots, protocol.ListRoots, ``, `"r"`, `{"roots":[{"uri":"file:///a"}]}`},
		{"an extension", `{"jsonrpc":"2.0","id":9,"method":"acme/x/ask","params":{"a":1.0}}`, "acme/x/ask", `{"a":1.0}`, "9", `{"b":1.0}`},
	}
	for _, tt := range tests {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s on a stream of its own %v", tt.name, own), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &fakeServer{tools: []string{"x"}}
					held := s.holding()
					r := start(t, nil, s)
					r.greets(everything)
					r.ask(toolsList)
					r.ask(call)
					s.took()
					if own {
						held().says(t, tt.frame)
					} else {
						s.conn(0).says(t, tt.frame)
					}
					synctest.Wait()
					if about := r.sink.about(); !slices.Equal(about, []string{"2"}) {
						t.Errorf("it belongs to %s", about)
					}
					id, params := r.asked(tt.method)
					if params != tt.params {
						t.Errorf("asked %s", params)
					}
					if got := r.replies(id, tt.answer); len(got) != 0 {
						t.Errorf("the client got %s", got)
					}
					if got := s.took(); !slices.Equal(got, []string{"answer " + tt.id + " " + tt.answer}) {
						t.Errorf("the server got %s", got)
					}
					if got := r.replies(id, tt.answer); len(got) != 0 || len(s.took()) != 0 {
						t.Errorf("answered twice: %s", got)
					}
					held().result(`{"done":1}`)
					if got := r.got(); len(got) != 1 || !strings.Contains(got[0], `"done":1`) {
						t.Errorf("the client got %s", got)
					}
					saw := r.judge.saw()
					if !slices.ContainsFunc(saw, func(s string) bool { return strings.HasPrefix(s, "server_request x") && strings.HasSuffix(s, params) }) {
						t.Errorf("the question was not judged: %s", saw)
					}
					if !slices.Contains(saw, "request x "+tt.answer) {
						t.Errorf("the answer was not judged: %s", saw)
					}
				})
			})
		}
	}
}

// TestWhatIsAskedIsJudged: both directions, and errors too.
func TestWhatIsAskedIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		s.took()
		held().says(t, strings.Replace(elicit, "who?", "EVIL", 1))
		if got := r.got(); len(got) != 0 {
			t.Errorf("the client was asked %s", got)
		}
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32011,`) {
			t.Errorf("the server got %s", got)
		}
		for _, answer := range []string{`"result":{"action":"accept","content":{"n":"EVIL"}}`, `"error":{"code":-1,"message":"EVIL"}`} {
			held().says(t, elicit)
			id, _ := r.asked(protocol.Elicit)
			r.ask(`{"jsonrpc":"2.0","id":` + id + `,` + answer + `}`)
			if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32011,`) {
				t.Errorf("the server got %s", got)
			}
		}
		held().says(t, elicit)
		id, _ := r.asked(protocol.Elicit)
		r.ask(`{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-1,"message":"no"}}`)
		if got := s.took(); len(got) != 1 || got[0] != `answer 7 {"code":-1,"message":"no"}` {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestWhoIsNotAsked: clients that cannot, servers that may not, nobody.
func TestWhoIsNotAsked(t *testing.T) {
	tests := []struct {
		name, capabilities string
		change             func(*Options)
		deaf               bool
		frame, want        string
	}{
		{"cannot elicit", `{"sampling":{}}`, nil, false, elicit, `answer 7 {"code":-32601,`},
		{"cannot follow addresses", `{"elicitation":{}}`, nil, false, strings.Replace(elicit, `"message"`, `"mode":"url","message"`, 1), `answer 7 {"code":-32601,`},
		{"may not sample", everything, func(o *Options) { o.Servers[0].MayAsk = protocol.Capabilities(protocol.Roots) }, false, sample, `answer 8 {"code":-32601,`},
		{"has no stream", everything, nil, true, roots, `answer "r" {"code":-32603,`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}}
				held := s.holding()
				r := start(t, tt.change, s)
				r.sink.deaf = tt.deaf
				r.greets(tt.capabilities)
				r.ask(toolsList)
				r.ask(call)
				s.took()
				held().says(t, tt.frame)
				if got := r.got(); len(got) != 0 {
					t.Errorf("the client got %s", got)
				}
				if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
					t.Errorf("the server got %s", got)
				}
				if n := len(s.conn(0).h.(*receiver).link.Load().questions.open); n != 0 {
					t.Errorf("%d questions are open", n)
				}
			})
		})
	}
}

// TestSeveralClientsAtOneServer: what can be tied to no client is refused.
func TestSeveralClientsAtOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		a := start(t, nil, s)
		b := a.join(peer.Hello{Session: "other", Principal: "other"})
		a.greets(everything)
		b.greets(everything)
		a.ask(toolsList)
		refused := func(when string) {
			t.Helper()
			s.took()
			s.conn(0).says(t, elicit)
			if got := slices.Concat(a.got(), b.got()); len(got) != 0 {
				t.Errorf("%s: a client got %s", when, got)
			}
			if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32603,`) {
				t.Errorf("%s: the server got %s", when, got)
			}
		}
		refused("nobody calls")
		a.ask(call)
		first := held()
		s.conn(0).says(t, elicit)
		id, _ := a.asked(protocol.Elicit)
		if got := b.got(); len(got) != 0 {
			t.Errorf("the other client got %s", got)
		}
		// The other one has a question of the same number, but not this one.
		b.replies(id, `{"action":"accept"}`)
		s.took()
		a.replies(id, `{"action":"decline"}`)
		if got := s.took(); !slices.Equal(got, []string{`answer 7 {"action":"decline"}`}) {
			t.Errorf("the server got %s", got)
		}
		b.ask(call)
		refused("both call")
		first.says(t, elicit) // on the call's own stream there is no doubt
		a.asked(protocol.Elicit)
		first.result(`{}`)
		held().result(`{}`)
		a.got()
		b.got()
		refused("both were answered")
	})
}

// TestSeveralCallsOfOneClient: whichever it is, the client is the same.
func TestSeveralCallsOfOneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		a := start(t, nil, s)
		b := a.join(peer.Hello{Session: "other", Principal: "local"})
		a.greets(everything)
		b.greets(everything)
		a.ask(toolsList)
		a.ask(call)
		first := held()
		a.ask(strings.Replace(call, `"id":2`, `"id":3`, 1))
		s.conn(0).says(t, elicit)
		id, _ := a.asked(protocol.Elicit)
		time.Sleep(10 * time.Minute) // neither call pays for the person
		if got := slices.Concat(a.got(), b.got()); len(got) != 0 {
			t.Errorf("a client got %s", got)
		}
		a.replies(id, `{"action":"decline"}`)
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`)
		if got := a.got(); len(got) != 1 || len(b.got()) != 0 {
			t.Errorf("the log went elsewhere: %s", got)
		}
		time.Sleep(2 * time.Minute)
		if got := a.got(); len(got) != 2 {
			t.Errorf("deadlines do not run again: %s", got)
		}
		_ = first
	})
}
