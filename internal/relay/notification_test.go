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
		// An only server, of which nothing is withheld, gets also what it did not
		// announce.
		if got := s.got(); len(got) != 2 || got[0] != `acme/x/told {"a":1}` || got[1] != `other/told {"a":1}` {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestAnOnlyServerThatRefusesAMethod does not know it, however it says so.
func TestAnOnlyServerThatRefusesAMethod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}, onCall: func(_ *fakeConn, c *fakeCall) {
			go c.reply(peer.Reply{Err: peer.ErrStatus})
		}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.wantPart(`{"jsonrpc":"2.0","id":1,"method":"nobody/knows"}`, `"code":-32601`)
		r.wantPart(`{"jsonrpc":"2.0","id":2,"method":"acme/x/run"}`, `"type":"ToolExecutionError"`)
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

// TestARequestWithoutAnIDIsJudgedAsARequest: some peers do what it says all the
// same, so it must not meet the scanners of notifications only.
func TestARequestWithoutAnIDIsJudgedAsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.ask(`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"s0__x","arguments":{}}}`)
		r.ask(`{"jsonrpc":"2.0","method":"notifications/acme/x","params":{"name":"s0__x"}}`)
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"sampling/createMessage","params":{"maxTokens":1}}`)
		synctest.Wait()
		saw := r.judge.saw()
		for _, want := range []string{
			`request x {"name":"x","arguments":{}}`, `notification x {"name":"x"}`, `server_request  {"maxTokens":1}`,
		} {
			if !slices.Contains(saw, want) {
				t.Errorf("the scanner did not see %s, but %s", want, saw)
			}
		}
	})
}

// TestNothingComesBeforeTheHandshake: clients take the first message for the
// answer to their handshake.
func TestNothingComesBeforeTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		synctest.Wait()
		say := func(n int) {
			s.conn(0).says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":%d}}`, n))
			synctest.Wait()
		}
		say(1)
		if got := r.sink.take(); len(got) != 0 {
			t.Errorf("before the handshake: %s", got)
		}
		r.wantPart(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, `"id":0,"result"`)
		say(2)
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], `"data":2`) {
			t.Errorf("after it: %s", got)
		}
	})
}

// TestAServerThatAsksAtOnceIsAnswered: servers ask during the handshake, and as
// soon as they are told that it is over.
func TestAServerThatAsksAtOnceIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		s.onHello = func(c *fakeConn) { c.says(t, `{"jsonrpc":"2.0","id":"early","method":"ping"}`) }
		s.onReady = func(c *fakeConn) { c.says(t, `{"jsonrpc":"2.0","id":"first","method":"ping"}`) }
		start(t, nil, s)
		synctest.Wait()
		if got := s.got(); !slices.Equal(got, []string{`answer "early" {}`, `answer "first" {}`}) {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestAnAnswerDoesNotWaitForWhatComesAfterIt: a server that talks on does not
// hold back what it has answered.
func TestAnAnswerDoesNotWaitForWhatComesAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.judge.dawdle(3 * time.Second)
		say := func(c *fakeConn, text string) {
			c.says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":%q}}`, text))
		}
		s.set(func() {
			s.onCall = func(c *fakeConn, call *fakeCall) {
				say(c, "before")
				call.result(`{"text":"SLOW"}`)
				time.Sleep(time.Second)
				say(c, "after SLOW")
			}
		})
		r.send(call)
		time.Sleep(3500 * time.Millisecond)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 2 || !strings.Contains(got[0], "before") || !strings.Contains(got[1], `"id":2`) {
			t.Errorf("got %s", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], "after") {
			t.Errorf("got %s", got)
		}
	})
}

func TestProgressTokensOfEveryType(t *testing.T) {
	for token, told := range map[string]bool{
		`7`: true, `"p"`: true, `""`: true, `1e400`: true, `9007199254740993`: true, `"7"`: true,
		`null`: false, `{"a":1}`: false, `[1]`: false, `true`: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}}
			r := start(t, nil, s)
			r.ask(toolsList)
			s.set(func() {
				s.onCall = func(c *fakeConn, call *fakeCall) {
					_, seen, _ := strings.Cut(strings.TrimSuffix(call.params, "}}"), `"progressToken":`)
					if seen == token == told {
						t.Errorf("%s became %s", token, seen)
					}
					if told {
						c.says(t, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":`+seen+`,"progress":1}}`)
					}
					go call.result(`{}`)
				}
			})
			got := r.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","_meta":{"progressToken":` + token + `}}}`)
			if told && (len(got) != 2 || !strings.Contains(got[0], `"progressToken":`+token+`,`)) || !told && len(got) != 1 {
				t.Errorf("%s: got %s", token, got)
			}
		})
	}
}
