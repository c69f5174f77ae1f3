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
