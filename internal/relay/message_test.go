package relay

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

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

// TestUnknownMethodsDoNotReachWhatIsWithheld: one server, so that there is no
// doubt where a method belongs.
func TestUnknownMethodsDoNotReachWhatIsWithheld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		for _, method := range []string{"tools/inspect", "tools/Call", "tools/call/x", "resources/peek", "prompts/peek"} {
			r.wantPart(`{"jsonrpc":"2.0","id":3,"method":"`+method+`","params":{"name":"evil"}}`, `"code":-32601`)
			r.ask(`{"jsonrpc":"2.0","method":"` + method + `","params":{"name":"evil"}}`)
			r.ask(`{"jsonrpc":"2.0","method":"notifications/` + method + `","params":{"name":"evil"}}`)
		}
		if got := s.got(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestATaskThatTwoServersClaim belongs to neither, also when one of them is the
// only server that has tasks.
func TestATaskThatTwoServersClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &fakeServer{tools: []string{"x"}, answers: map[string]string{
			"initialize": `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{}},"serverInfo":{"name":"f","version":"1"}}`,
			"tools/call": `{"task":{"taskId":"t"}}`,
		}}
		b := &fakeServer{tools: []string{"x"}, answers: map[string]string{"tools/call": `{"task":{"taskId":"t"}}`}}
		r := start(t, nil, a, b)
		r.ask(toolsList)
		r.ask(call)
		r.ask(strings.Replace(call, "s0__x", "s1__x", 1))
		before := len(a.got())
		r.wantPart(`{"jsonrpc":"2.0","id":5,"method":"tasks/result","params":{"taskId":"t"}}`, `-32601`)
		if got := a.got()[before:]; len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestAMalformedMessageEndsNoOtherRequest: its error would be taken for the
// answer of the request that has the same id.
func TestAMalformedMessageEndsNoOtherRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		s.set(func() { s.onCall = func(*fakeConn, *fakeCall) {} })
		r.ask(call) // id 2 waits
		r.wantPart(`{"jsonrpc":"2.0","id":2,"method":"ping","Method":"x"}`, `"id":null,"error"`)
		r.wantPart(`{"jsonrpc":"2.0","id":3,"method":"ping","Method":"x"}`, `"id":3,"error"`)
	})
}
