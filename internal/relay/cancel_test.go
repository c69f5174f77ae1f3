package relay

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTimeoutTellsTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		s.set(func() { s.onCall = func(*fakeConn, *fakeCall) {} })
		r.send(call)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], `"type":"ToolExecutionError"`) {
			t.Errorf("got %s", got)
		}
		if got := s.got(); len(got) != 2 || !strings.HasPrefix(got[1], `notifications/cancelled {"requestId":`) {
			t.Errorf("the server got %s", got)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		var open *fakeCall
		s.set(func() { s.onCall = func(_ *fakeConn, c *fakeCall) { open = c } })
		if got := r.ask(call); len(got) != 0 {
			t.Fatalf("got %s", got)
		}
		// An id of another type is another request.
		if got := r.ask(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"2"}}`); len(got) != 0 || len(s.got()) != 1 {
			t.Fatalf("got %s, server %s", got, s.got())
		}
		if got := r.ask(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"EVIL"}}`); len(got) != 0 {
			t.Errorf("a cancelled request was answered: %s", got)
		}
		if got := s.got(); len(got) != 2 || got[1] != `notifications/cancelled {"requestId":`+open.id.Raw()+`}` {
			t.Errorf("the server got %s", got)
		}
		open.result(`{}`)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 0 {
			t.Errorf("a late answer came out: %s", got)
		}
	})
}

func TestCancelEndsTheScanAndTheRequestNeverLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.judge.dawdle(time.Hour)
		r.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":"SLOW"}}`)
		r.ask(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
		if got := s.got(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
	})
}
