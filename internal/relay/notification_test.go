package relay

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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

func between(s, before, after string) string {
	_, rest, _ := strings.Cut(s, before)
	middle, _, _ := strings.Cut(rest, after)
	return middle
}
