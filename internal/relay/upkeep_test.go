package relay

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

func TestChangedDefinitionsAreJudgedBeforeTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		release := make(chan struct{})
		s.set(func() { s.version, s.slow = 1, release })
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		if got := r.ask(call); len(got) != 0 {
			t.Fatalf("a call to a changed tool was answered: %s", got)
		}
		if got := s.got(); len(got) != 0 {
			t.Fatalf("a call to a changed tool was sent: %s", got)
		}
		close(release)
		synctest.Wait()
		got := r.sink.take()
		if len(got) != 2 || !strings.Contains(strings.Join(got, ""), "list_changed") || !strings.Contains(strings.Join(got, ""), `"echo"`) {
			t.Errorf("got %s", got)
		}
		r.wantPart(toolsList, `"v":1`)
		// A change to something evil takes the tool away.
		s.set(func() { s.tools = []string{"x", "evil"} })
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		time.Sleep(2 * time.Second)
		r.wantPart(toolsList, `{"tools":[{"name":"s0__x","v":1}]}`)
	})
}

func TestStormOfListChangedIsCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		before := len(r.judge.saw())
		for range 100 {
			s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		if scans := len(r.judge.saw()) - before; scans > 8 {
			t.Errorf("5 s of list_changed cost %d scans", scans)
		}
		r.want(call, `{"jsonrpc":"2.0","id":2,"result":{"content":[],"echo":{"name":"x","arguments":{"a":9007199254740993}}}}`)
	})
}

func TestServerThatDiesMidCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		calls := 0
		s.set(func() {
			s.onCall = func(c *fakeConn, call *fakeCall) {
				calls++
				c.die()
				go call.reply(peer.Reply{Err: peer.ErrGone})
			}
		})
		r.wantPart(call, `"isError":true`, `"type":"ToolExecutionError"`)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if calls != 1 {
			t.Errorf("the call was sent %d times", calls)
		}
		s.set(func() { s.onCall = nil })
		r.wantPart(call, `"echo"`)
		if len(s.conns) != 2 {
			t.Errorf("%d connections", len(s.conns))
		}
		// It dies and does not come back: what it offered goes away.
		s.set(func() { s.dialErr = errors.New("gone") })
		s.conn(1).die()
		time.Sleep(5 * time.Second)
		r.wantPart(call, `"type":"ToolExecutionError"`)
		r.wantPart(toolsList, `{"tools":[]}`)
	})
}

// TestWhatANewConnectionLacksIsGone: a server comes back without prompts, and
// what it had before must not lead to it.
func TestWhatANewConnectionLacksIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hello = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{}},"serverInfo":{"name":"f","version":"1"}}`
		s := &fakeServer{tools: []string{"x"}, answers: map[string]string{"initialize": hello, "prompts/list": `{"prompts":[{"name":"p"}]}`}}
		r := start(t, nil, s)
		r.wantPart(`{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`, `"s0__p"`)
		s.set(func() { s.answers = nil })
		s.conn(0).die()
		time.Sleep(5 * time.Second)
		r.wantPart(`{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`, `{"prompts":[]}`)
		before := len(s.got())
		r.wantPart(`{"jsonrpc":"2.0","id":2,"method":"prompts/get","params":{"name":"s0__p"}}`, `"type":"ToolNotFound"`)
		if got := s.got()[before:]; len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestABusyServerKeepsItsCall: a server that does one thing at a time does not
// list during a long call.
func TestABusyServerKeepsItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, func(o *Options) { o.CallTimeout = time.Hour }, s)
		r.ask(toolsList)
		release := make(chan struct{})
		s.set(func() {
			s.slow = release
			s.onCall = func(_ *fakeConn, c *fakeCall) {
				go func() {
					<-release
					c.result(`{"done":true}`)
				}()
			}
		})
		r.ask(call)
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		time.Sleep(5 * time.Minute)
		close(release)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], `"done":true`) {
			t.Errorf("got %s", got)
		}
		time.Sleep(2 * time.Minute)
		r.wantPart(call, `"done":true`)
		if n := len(s.conns); n != 1 {
			t.Errorf("%d connections", n)
		}
		// One that hangs without a call to do is started again.
		s.set(func() { s.slow = make(chan struct{}) })
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		time.Sleep(90 * time.Second)
		s.set(func() {
			if len(s.conns) != 2 {
				t.Errorf("%d connections", len(s.conns))
			}
			close(s.slow)
		})
	})
}

// TestARequestIsNotSentByAnOldRoute: what a server offers changes while a
// request to it is judged.
func TestARequestIsNotSentByAnOldRoute(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, s *fakeServer)
		want   string
		sent   int
	}{
		{"still there", func(t *testing.T, s *fakeServer) {
			t.Helper()
			s.set(func() { s.version = 1 })
			s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		}, `"echo"`, 1},
		{"withheld", func(t *testing.T, s *fakeServer) {
			t.Helper()
			s.set(func() { s.answers = map[string]string{"tools/list": `{"tools":[{"name":"x","description":"evil"}]}`} })
			s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		}, `"type":"ToolNotFound"`, 0},
		{"restarted", func(_ *testing.T, s *fakeServer) { s.conn(0).die() }, `"echo"`, 1},
		{"gone", func(_ *testing.T, s *fakeServer) {
			s.set(func() { s.dialErr = errors.New("gone") })
			s.conn(0).die()
		}, `"type":"ToolExecutionError"`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}}
				r := start(t, nil, s)
				r.ask(toolsList)
				r.judge.dawdle(3 * time.Second)
				r.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":"SLOW"}}}`)
				tt.change(t, s)
				time.Sleep(20 * time.Second)
				synctest.Wait()
				var answers []string
				for _, frame := range r.sink.take() {
					if strings.Contains(frame, `"id":2`) {
						answers = append(answers, frame)
					}
				}
				if len(answers) != 1 || !strings.Contains(answers[0], tt.want) {
					t.Errorf("got %s", answers)
				}
				if got := s.got(); len(got) != tt.sent {
					t.Errorf("the server got %s", got)
				}
			})
		})
	}
}

func TestStatusAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		for _, outage := range []bool{true, false} {
			r.judge.mu.Lock()
			r.judge.outage = outage
			r.judge.mu.Unlock()
			if outage {
				s.set(func() { s.version = 1 })
				s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
			}
			time.Sleep(10 * time.Second)
			if got := r.relay.Status()[0]; got.Ready == outage {
				t.Errorf("outage %v: %+v", outage, got)
			}
		}
	})
}

// TestLogLevelReachesServersThatComeLater: clients set it right after the
// handshake, when servers still start.
func TestLogLevelReachesServersThatComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &fakeServer{tools: []string{"x"}, slow: release}
		r := start(t, nil, s)
		r.want(`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}}`, `{"jsonrpc":"2.0","id":1,"result":{}}`)
		close(release)
		synctest.Wait()
		s.conn(0).die()
		time.Sleep(5 * time.Second)
		want := `logging/setLevel {"level":"error"}`
		if got := s.got(); len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestTheSameListIsJudgedOnce: a server that announces changes without making
// any costs no scan and loses nothing while a scanner is away.
func TestTheSameListIsJudgedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		before := len(r.judge.saw())
		r.judge.mu.Lock()
		r.judge.outage = true
		r.judge.mu.Unlock()
		for range 3 {
			s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
			time.Sleep(2 * time.Second)
		}
		if scans := len(r.judge.saw()) - before; scans != 0 {
			t.Errorf("judged %d times more", scans)
		}
		r.want(toolsList, `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"s0__x","v":0}]}}`)
		// Another connection is another server: it is judged anew.
		s.conn(0).die()
		time.Sleep(3 * time.Second)
		if scans := len(r.judge.saw()) - before; scans == 0 {
			t.Error("a new instance was not judged")
		}
	})
}
