package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// open returns how many questions of the server are not answered.
func (f *fakeServer) openQuestions() int {
	t := &f.conn(0).h.(*receiver).link.Load().questions
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

// TestQuestionsEndWithTheirCall, however that ends: the client is told, and the
// server is not left waiting.
func TestQuestionsEndWithTheirCall(t *testing.T) {
	tests := []struct {
		name   string
		end    func(r *rig, s *fakeServer, c *fakeCall)
		answer string
	}{
		{"answered", func(_ *rig, _ *fakeServer, c *fakeCall) { c.result(`{}`) }, `answer 7 {"code":-32603,`},
		{"failed", func(_ *rig, _ *fakeServer, c *fakeCall) { c.reply(peer.Reply{Err: peer.ErrGone}) }, `answer 7 {"code":-32603,`},
		{"cancelled by the client", func(r *rig, _ *fakeServer, _ *fakeCall) {
			r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
		}, `answer 7 {"code":-32603,`},
		{"taken back", func(r *rig, s *fakeServer, _ *fakeCall) {
			s.conn(0).says(r.t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"EVIL"}}`)
		}, ``},
		{"left", func(r *rig, _ *fakeServer, _ *fakeCall) { r.client.Close() }, `answer 7 {"code":-32603,`},
		{"died", func(_ *rig, s *fakeServer, _ *fakeCall) { s.conn(0).die() }, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}}
				held := s.holding()
				r := start(t, nil, s)
				r.greets(everything)
				r.ask(toolsList)
				r.ask(call)
				held().says(t, elicit)
				id, _ := r.asked(protocol.Elicit)
				s.took()
				tt.end(r, s, held())
				synctest.Wait()
				want := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`
				if got := r.sink.take(); !slices.Contains(got, want) {
					t.Errorf("the client got %s", got)
				}
				got := slices.DeleteFunc(s.took(), func(m string) bool { return !strings.HasPrefix(m, "answer ") })
				if tt.answer == "" && len(got) != 0 || tt.answer != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.answer)) {
					t.Errorf("the server got %s", got)
				}
				if n := s.openQuestions(); n != 0 {
					t.Errorf("%d questions are open", n)
				}
				r.replies(id, `{"action":"accept"}`)
				if got := s.took(); len(got) != 0 {
					t.Errorf("a late answer went in: %s", got)
				}
			})
		})
	}
}

// TestWithdrawnWhileJudged: nobody is asked what nobody waits for.
func TestWithdrawnWhileJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		r.judge.dawdle(time.Second)
		slow := strings.Replace(elicit, "who?", "SLOW", 1)
		held().says(t, slow)
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
		time.Sleep(2 * time.Second)
		if got := r.got(); len(got) != 0 {
			t.Errorf("taken back: the client got %s", got)
		}
		held().says(t, slow)
		held().result(`{}`)
		time.Sleep(2 * time.Second)
		if got := r.got(); len(got) != 1 || !strings.Contains(got[0], `"id":2,"result"`) {
			t.Errorf("answered: the client got %s", got)
		}
	})
}

// TestQuestionIDsOfTheServer: an id is in use until its answer has left.
func TestQuestionIDsOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		s.took()
		held().says(t, elicit)
		id, _ := r.asked(protocol.Elicit)
		held().says(t, elicit)
		if got := r.got(); len(got) != 0 {
			t.Errorf("asked twice: %s", got)
		}
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32600,`) {
			t.Errorf("the server got %s", got)
		}
		r.judge.dawdle(time.Second)
		r.replies(id, `{"action":"SLOW"}`)
		held().says(t, elicit) // the answer is judged still
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32600,`) || len(r.got()) != 0 {
			t.Errorf("the server got %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := s.took(); !slices.Equal(got, []string{`answer 7 {"action":"SLOW"}`}) {
			t.Errorf("the server got %s", got)
		}
		held().says(t, elicit)
		again, _ := r.asked(protocol.Elicit)
		if again == id {
			t.Error("the client got the same id twice")
		}
	})
}

// TestAnAnswerIsNotGivenToAQuestionThatWasTakenBack while it was judged.
func TestAnAnswerIsNotGivenToAQuestionThatWasTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		held().says(t, elicit)
		id, _ := r.asked(protocol.Elicit)
		r.judge.dawdle(time.Second)
		r.replies(id, `{"action":"SLOW"}`)
		s.took()
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := s.took(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
		time.Sleep(2 * time.Minute)
		if got := r.got(); len(got) != 1 || !strings.Contains(got[0], "did not answer in time") {
			t.Errorf("the deadline did not run again: %s", got)
		}
	})
}

func TestTooManyQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		s.took()
		for i := range maxQuestions + 1 {
			held().says(t, strings.Replace(elicit, `"id":7`, fmt.Sprintf(`"id":%d`, 100+i), 1))
		}
		if got := r.got(); len(got) != maxQuestions {
			t.Errorf("the client was asked %d times", len(got))
		}
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf(`answer %d {"code":-32600,`, 100+maxQuestions)) {
			t.Errorf("the server got %s", got)
		}
		if words := r.audit.anomalies(); !slices.Equal(words, []string{"too_many_requests"}) {
			t.Errorf("anomalies %s", words)
		}
		held().result(`{}`)
		if got := r.got(); len(got) != maxQuestions+1 || s.openQuestions() != 0 {
			t.Errorf("the client got %d, %d are open", len(got), s.openQuestions())
		}
	})
}

// TestADeadlineDoesNotRunWhileAPersonIsAsked, also when the question is there
// before the call is watched.
func TestADeadlineDoesNotRunWhileAPersonIsAsked(t *testing.T) {
	for _, early := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}}
			held := s.holding()
			r := start(t, nil, s)
			r.greets(everything)
			r.ask(toolsList)
			if early {
				keep := s.onCall
				s.set(func() {
					s.onCall = func(c *fakeConn, fc *fakeCall) {
						keep(c, fc)
						fc.says(t, elicit)
					}
				})
				r.send(call)
			} else {
				r.ask(call)
				held().says(t, elicit)
			}
			id, _ := r.asked(protocol.Elicit)
			time.Sleep(time.Hour)
			if got := r.got(); len(got) != 0 {
				t.Fatalf("early %v: the call ended: %s", early, got)
			}
			r.replies(id, `{"action":"cancel"}`)
			time.Sleep(50 * time.Second)
			if got := r.got(); len(got) != 0 {
				t.Fatalf("early %v: the call ended: %s", early, got)
			}
			time.Sleep(20 * time.Second)
			if got := r.got(); len(got) != 1 || !strings.Contains(got[0], "did not answer in time") {
				t.Errorf("early %v: got %s", early, got)
			}
		})
	}
}

// TestElicitationIsCompleteForWhomItWas, and for nobody else.
func TestElicitationIsCompleteForWhomItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		a := start(t, nil, s)
		b := a.join(peer.Hello{Session: "other", Principal: "local"})
		a.greets(everything)
		b.greets(everything)
		a.ask(toolsList)
		b.ask(call)
		held().says(t, `{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"mode":"url","elicitationId":"e","url":"https://x.example","message":"m"}}`)
		b.asked(protocol.Elicit)
		held().fails(`{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"f","url":"https://x.example","message":"m"}]}}`)
		b.got()
		for _, id := range []string{"e", "f", "unknown"} {
			done := `{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"` + id + `"}}`
			s.conn(0).says(t, done)
			want := []string{done}
			if id == "unknown" {
				want = nil
			}
			if got := b.got(); !slices.Equal(got, want) || len(a.got()) != 0 {
				t.Errorf("%s: got %s", id, got)
			}
		}
	})
}

// TestAServerThatAsksAndDiesBeforeItIsReady leaves nobody with its question.
func TestAServerThatAsksAndDiesBeforeItIsReady(t *testing.T) {
	for _, early := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}, slow: make(chan struct{})}
			ask := func(c *fakeConn) { c.says(t, roots) }
			if early {
				s.onHello, s.answers = ask, map[string]string{protocol.Initialize: `{"nonsense":1}`}
			} else {
				s.onReady = ask
			}
			r := prepare(t, &judge{}, func(o *Options) { o.StartTimeout = time.Second }, s)
			r.send(hello2)
			time.Sleep(greetWait + time.Second) // nobody is there
			r.got()
			r.relay.Start(t.Context())
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			s.onHello, s.onReady = nil, nil // the next one asks nothing
			s.conn(0).die()
			time.Sleep(2 * listTimeout)
			got := strings.Join(r.got(), "\n") // which is nothing when it died before that was judged
			if strings.Count(got, protocol.ListRoots) != strings.Count(got, protocol.Cancelled) || got == "" && !early {
				t.Errorf("early %v: got %s", early, got)
			}
			close(s.slow)
		})
	}
}

// TestAQuestionOfACallThatIsOver is nobody's.
func TestAQuestionOfACallThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		held().result(`{}`)
		r.got()
		s.took()
		held().says(t, elicit)
		if got := r.got(); len(got) != 0 {
			t.Errorf("the client got %s", got)
		}
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32603`) || s.openQuestions() != 0 {
			t.Errorf("the server got %s", got)
		}
	})
}
