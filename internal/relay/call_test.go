package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

const (
	toolsList = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	call      = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":9007199254740993}}}`
)

func TestListAndCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil", "y z"}}
		r := start(t, nil, s)
		r.wantPart(toolsList, `"id":1`, `{"tools":[{"name":"s0__x","v":0},{"name":"s0__y_z_`)
		r.want(call, `{"jsonrpc":"2.0","id":2,"result":{"content":[],"echo":{"name":"x","arguments":{"a":9007199254740993}}}}`)
		if got := s.got(); len(got) != 1 || got[0] != `tools/call {"name":"x","arguments":{"a":9007199254740993}}` {
			t.Errorf("the server got %s", got)
		}
		saw := r.judge.saw()
		for _, want := range []string{
			`definition  {"tools":[{"name":"x","v":0},{"name":"evil","v":0},{"name":"y z","v":0}]}`,
			`request x {"name":"x","arguments":{"a":9007199254740993}}`,
			`response x {"content":[],"echo":{"name":"x","arguments":{"a":9007199254740993}}}`,
		} {
			if !slices.Contains(saw, want) {
				t.Errorf("the scanner did not see %s, but %s", want, saw)
			}
		}
	})
}

func TestWhatIsNotOfferedCannotBeCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		before := len(r.judge.saw())
		for _, name := range []string{"s0__evil", "evil", "x", "S0__x", "s0__x ", "", "s1__x"} {
			r.wantPart(fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":%q}}`, name),
				`"error":{"code":-32602`, `"data":{"type":"ToolNotFound"}`)
		}
		if got := s.got(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
		if len(r.judge.saw()) != before {
			t.Error("an unknown tool cost a scan")
		}
	})
}

func TestBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.wantPart(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":"EVIL"}}`,
			`"isError":true`, `"type":"SecurityBlock"`, `"phase":"request"`, `"scan_id":"`)
		if got := s.got(); len(got) != 0 {
			t.Errorf("a blocked request reached the server: %s", got)
		}
		s.set(func() { s.onCall = func(_ *fakeConn, c *fakeCall) { go c.result(`{"text":"EVIL"}`) } })
		r.wantPart(call, `"isError":true`, `"type":"SecurityBlock"`, `"phase":"response"`)
		s.set(func() {
			s.onCall = func(_ *fakeConn, c *fakeCall) { go c.reply(peer.Reply{Error: []byte(`{"code":1,"message":"EVIL"}`)}) }
		})
		r.wantPart(call, `"isError":true`, `"type":"SecurityBlock"`)
		s.set(func() {
			s.onCall = func(_ *fakeConn, c *fakeCall) {
				go c.reply(peer.Reply{Error: []byte(`{"code":-5,"message":"no","data":[1]}`)})
			}
		})
		r.want(call, `{"jsonrpc":"2.0","id":2,"error":{"code":-5,"message":"no","data":[1]}}`)
		r.wantPart(`{"jsonrpc":"2.0","id":3,"method":"acme/x/do","params":"EVIL-NOT-AN-OBJECT"}`, `"error":{"code":-32600`)
		r.wantPart(`{"jsonrpc":"2.0","id":3,"method":"acme/x/do","params":{"a":"EVIL"}}`, `"error":{"code":-32011`, `"type":"SecurityBlock"`)
	})
}

func TestScannerOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.judge.mu.Lock()
		r.judge.outage = true
		r.judge.mu.Unlock()
		r.wantPart(call, `"isError":true`, `"type":"ScannerUnavailable"`)
		if got := s.got(); len(got) != 0 {
			t.Errorf("an unjudged request reached the server: %s", got)
		}
	})
}

func TestCallWaitsForAServerThatStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &fakeServer{tools: []string{"x"}, slow: release}
		r := start(t, nil, s)
		if got := r.ask(call); len(got) != 0 {
			t.Fatalf("answered early: %s", got)
		}
		close(release)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], `"echo"`) {
			t.Errorf("got %s", got)
		}
	})
}

func TestHiddenServerIsNotScannedButRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil"}}
		r := start(t, func(o *Options) { o.Servers[0].Hidden = true }, s)
		r.wantPart(toolsList, `{"name":"s0__evil","v":0,"_meta":{"mcp-relay/hidden_mode":true}}`)
		r.wantPart(call, `"echo"`)
		if saw := r.judge.saw(); len(saw) != 0 {
			t.Errorf("scanned %s", saw)
		}
		hidden := 0
		for _, rec := range r.audit.all {
			if rec.Reason == "hidden_mode" {
				hidden++
			}
		}
		if hidden != 3 { // the catalogue, the greeting and the call
			t.Errorf("%d records", hidden)
		}
	})
}

func TestDrainWaitsForCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		s.set(func() {
			s.onCall = func(_ *fakeConn, c *fakeCall) {
				go func() {
					time.Sleep(3 * time.Second)
					c.result(`{"late":true}`)
				}()
			}
		})
		r.send(call)
		if err := r.client.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], "late") {
			t.Errorf("got %s", got)
		}
	})
}
