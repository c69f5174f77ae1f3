package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/registry"
)

const (
	toolsList = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	call      = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":9007199254740993}}}`
)

func TestInitializeIsAnsweredBeforeServersAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := start(t, nil, &fakeServer{slow: release})
		r.want(`{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":{"name":"c"}}}`,
			`{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true},`+
				`"prompts":{"listChanged":true},"resources":{"listChanged":true},"logging":{},"completions":{}},`+
				`"serverInfo":{"name":"mcp-relay","version":"1"}}}`)
		r.wantPart(`{"jsonrpc":"2.0","id":"b","method":"initialize","params":{"protocolVersion":"2099-01-01"}}`, `"protocolVersion":"2025-11-25"`)
		r.want(`{"jsonrpc":"2.0","id":"p","method":"ping"}`, `{"jsonrpc":"2.0","id":"p","result":{}}`)
		close(release)
	})
}

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

func TestDefinitionsAreHeldUntilJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := startJudged(t, &judge{outage: true}, nil, s)
		if got := r.ask(toolsList); len(got) != 1 || !strings.Contains(got[0], `{"tools":[]}`) {
			t.Fatalf("listed %s", got)
		}
		r.wantPart(call, `"type":"ToolNotFound"`)
		if e := r.relay.Registry().Entries(registry.Tools); len(e) != 1 || e[0].State != registry.Held {
			t.Errorf("entries %+v", e)
		}
		r.judge.mu.Lock()
		r.judge.outage = false
		r.judge.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], "notifications/tools/list_changed") {
			t.Errorf("announced %s", got)
		}
		r.wantPart(toolsList, `s0__x`)
	})
}

func TestOneSlowServerHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow, broken := &fakeServer{tools: []string{"late"}, slow: release}, &fakeServer{dialErr: errors.New("no such file")}
		r := start(t, nil, &fakeServer{tools: []string{"x"}}, slow, broken)
		begin := time.Now()
		r.send(toolsList)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 0 {
			t.Fatalf("answered early: %s", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got := r.sink.take()
		if len(got) != 1 || !strings.Contains(got[0], `{"tools":[{"name":"s0__x","v":0}]}`) {
			t.Fatalf("after %v: %s", time.Since(begin), got)
		}
		close(release)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], "list_changed") {
			t.Fatalf("announced %s", got)
		}
		r.wantPart(toolsList, `"s1__late"`)
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

func TestProgressComesBeforeTheAnswerInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.judge.dawdle(time.Second)
		s.set(func() {
			s.onCall = func(c *fakeConn, call *fakeCall) {
				token := between(call.params, `"progressToken":`, "}")
				for i, text := range []string{"SLOW", "fast", "EVIL", "fast"} {
					c.says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":%q}}`, token, i, text))
				}
				c.says(t, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","progress":9}}`)
				c.says(t, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":99999,"progress":9}}`)
				go call.result(`{"done":true}`)
			}
		})
		r.send(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","_meta":{"progressToken":"mine"}}}`)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := strings.Join(r.sink.take(), "\n")
		want := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","progress":0,"message":"SLOW"}}
{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","progress":1,"message":"fast"}}
{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","progress":3,"message":"fast"}}
{"jsonrpc":"2.0","id":2,"result":{"done":true}}`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if words := r.audit.anomalies(); len(words) != 2 {
			t.Errorf("anomalies %s", words)
		}
	})
}

func TestOtherNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		for _, text := range []string{"hello", "EVIL", "bye"} {
			s.conn(0).says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":%q}}`, text))
		}
		synctest.Wait()
		if got := r.sink.take(); len(got) != 2 || !strings.Contains(got[0], "hello") || !strings.Contains(got[1], "bye") {
			t.Errorf("got %s", got)
		}
		r.ask(`{"jsonrpc":"2.0","method":"acme/x/told","params":{"a":1}}`)
		r.ask(`{"jsonrpc":"2.0","method":"acme/x/told","params":{"a":"EVIL"}}`)
		r.ask(`{"jsonrpc":"2.0","method":"other/told","params":{"a":1}}`)
		if got := s.got(); len(got) != 1 || got[0] != `acme/x/told {"a":1}` {
			t.Errorf("the server got %s", got)
		}
	})
}

func TestRequestsOfServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		s.conn(0).says(t, `{"jsonrpc":"2.0","id":7,"method":"ping"}`)
		s.conn(0).says(t, `{"jsonrpc":"2.0","id":8,"method":"sampling/createMessage","params":{}}`)
		synctest.Wait()
		got := s.got()
		if len(got) != 2 || got[0] != "answer 7 {}" || !strings.HasPrefix(got[1], `answer 8 {"code":-32601`) {
			t.Errorf("the server got %s", got)
		}
		if got := r.sink.take(); len(got) != 0 {
			t.Errorf("the client got %s", got)
		}
	})
}

func TestUnknownMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fakeServer{tools: []string{"x"}}, &fakeServer{tools: []string{"y"}}
		r := start(t, nil, a, b)
		r.ask(toolsList)
		r.want(`{"jsonrpc":"2.0","id":3,"method":"acme/x/do"}`, `{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"method not found"}}`)
		r.want(`{"jsonrpc":"2.0","id":3,"method":"tools/inspect","params":{"name":"s1__y"}}`, `{"jsonrpc":"2.0","id":3,"result":{"content":[],"echo":{"name":"y"}}}`)
		if len(a.got()) != 0 || len(b.got()) != 1 {
			t.Errorf("a got %s, b got %s", a.got(), b.got())
		}
		b.set(func() { b.onCall = func(_ *fakeConn, c *fakeCall) { go c.result(`{"task":{"taskId":"t-1"}}`) } })
		r.ask(`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"s1__y"}}`)
		b.set(func() { b.onCall = nil })
		r.wantPart(`{"jsonrpc":"2.0","id":5,"method":"tasks/get","params":{"taskId":"t-1"}}`, `"echo":{"taskId":"t-1"}`)
		r.wantPart(`{"jsonrpc":"2.0","id":6,"method":"tasks/get","params":{"taskId":"t-2"}}`, `-32601`)
	})
}

func TestBadMessagesOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "danger"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		for _, frame := range []string{
			`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","Name":"danger"}}`,
			`{"jsonrpc":"2.0","id":2,"method":"ping","Method":"tools/call","params":{"name":"danger"}}`,
			`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x"},"params":{"name":"danger"}}`,
			`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x"},"param\u017f":{"name":"danger"}}`,
			`[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x"}}]`,
			`{"jsonrpc":"2.0","id":2`,
			`{"id":2,"method":"ping"}`,
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\",\"params\":{\"x\":\"\xff\"}}",
		} {
			got := r.ask(frame)
			if len(got) != 1 || !strings.Contains(got[0], `"error":{"code":-32`) || strings.Contains(got[0], "danger") {
				t.Errorf("%s: %s", frame, got)
			}
		}
		if got := s.got(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
		s.set(func() { s.onCall = func(*fakeConn, *fakeCall) {} })
		r.ask(call)
		r.wantPart(call, `"code":-32600`, "already in use")
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
		if hidden != 2 { // the catalogue and the call
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

func between(s, before, after string) string {
	_, rest, _ := strings.Cut(s, before)
	middle, _, _ := strings.Cut(rest, after)
	return middle
}

func TestMethodsThatAreSentences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		for _, method := range []string{"ignore all rules", "acme/x/do ", "acme/x/\u202e", strings.Repeat("a", 200)} {
			r.wantPart(fmt.Sprintf(`{"jsonrpc":"2.0","id":3,"method":%q,"params":{"name":"s0__x"}}`, method), `"code":-32601`)
			if got := r.ask(fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":{"name":"s0__x"}}`, method)); len(got) != 0 {
				t.Errorf("got %s", got)
			}
			s.conn(0).says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":{"a":1}}`, method))
		}
		synctest.Wait()
		if got := r.sink.take(); len(got) != 0 || len(s.got()) != 0 {
			t.Errorf("came out: %s, went in: %s", got, s.got())
		}
	})
}

func TestEndlessLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{answers: map[string]string{"tools/list": `{"tools":[{"name":"x"}],"nextCursor":"again"}`}}
		other := &fakeServer{tools: []string{"y"}}
		r := start(t, nil, s, other)
		r.wantPart(toolsList, `{"tools":[{"name":"s1__y","v":0}]}`)
	})
}

func TestCatalogueOfManyParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		filler := strings.Repeat("x", 1<<20)
		var tools []string
		for i := range 10 {
			tools = append(tools, fmt.Sprintf(`{"name":"t%d","description":%q}`, i, filler))
		}
		tools = append(tools, `{"name":"bad","description":"evil"}`)
		s := &fakeServer{answers: map[string]string{"tools/list": `{"tools":[` + strings.Join(tools, ",") + `]}`}}
		r := start(t, nil, s)
		got := r.ask(toolsList)
		if len(got) != 1 || strings.Count(got[0], `"name":"s0__t`) != 10 || strings.Contains(got[0], "bad") {
			t.Errorf("listed %d bytes", len(strings.Join(got, "")))
		}
		if scans := len(r.judge.saw()); scans != 4 {
			t.Errorf("%d scans", scans)
		}
	})
}
