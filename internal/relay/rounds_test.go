package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

const (
	wantsName = `"name":{"method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{}}}}`
	wantsText = `"text":{"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}`
	wantsDirs = `"dirs":{"method":"roots/list"}`
)

// input returns a result that wants input.
func input(state string, requests ...string) string {
	body := `{"resultType":"input_required"`
	if len(requests) > 0 {
		body += `,"inputRequests":{` + strings.Join(requests, ",") + `}`
	}
	if state != "" {
		body += `,"requestState":` + state
	}
	return body + "}"
}

// memberOf returns a member of params that a server got; empty: it is not there.
func memberOf(params, name string) string {
	raw, _ := jsonrpc.Member([]byte(params), name)
	return string(raw)
}

// TestRounds: a legacy client is asked what a modern server wants to know, one
// thing after the other, round after round.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{modern: true, tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(call)
		first := held()
		// A state with everything that a string can have.
		const state = `"sté\n\"\\ \u0000 "`
		first.result(input(state, wantsName, wantsText, wantsDirs))
		got := r.got()
		if len(got) != 3 {
			t.Fatalf("the client got %s", got)
		}
		for i, method := range []string{protocol.Elicit, protocol.CreateMessage, protocol.ListRoots} {
			if !strings.Contains(got[i], method) {
				t.Errorf("question %d: %s", i, got[i])
			}
		}
		r.replies("3", `{"roots":[]}`)
		r.replies("1", `{"action":"accept","content":{"n":1.0}}`)
		if held() != first {
			t.Error("sent before everything was answered")
		}
		r.replies("2", `{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}`)
		second := held()
		if second == first || second.id == first.id {
			t.Fatal("the next round is not a new request")
		}
		if got := memberOf(second.params, "requestState"); got != string(jsonrpc.AppendString(nil, unquoted(state))) {
			t.Errorf("the state became %s", got)
		}
		want := `{"name":{"action":"accept","content":{"n":1.0}},"text":{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"},"dirs":{"roots":[]}}`
		if got := memberOf(second.params, "inputResponses"); got != want {
			t.Errorf("the answers are %s", got)
		}
		if a, b := memberOf(first.params, "arguments"), memberOf(second.params, "arguments"); a != b || a != `{"a":9007199254740993}` {
			t.Errorf("the arguments became %s", b)
		}
		saw := r.judge.saw()
		for _, part := range []string{`"inputRequests":{` + wantsName, `"inputResponses":{"name":{"action":"accept"`} {
			if !slices.ContainsFunc(saw, func(s string) bool { return strings.Contains(s, part) }) {
				t.Errorf("not judged: %s", part)
			}
		}
		// The second round wants nothing but to be asked again.
		second.result(input(`"other"`))
		synctest.Wait()
		if held() != second {
			t.Error("the server got no rest")
		}
		time.Sleep(time.Second)
		third := held()
		if third == second || memberOf(third.params, "requestState") != `"other"` || memberOf(third.params, "inputResponses") != "" {
			t.Fatalf("the third round is %s", third.params)
		}
		third.result(`{"content":[],"resultType":"complete"}`)
		if got := r.got(); !slices.Equal(got, []string{`{"jsonrpc":"2.0","id":2,"result":{"content":[]}}`}) {
			t.Errorf("the client got %s", got)
		}
	})
}

func unquoted(raw string) string {
	s, _ := jsonrpc.Unquote([]byte(raw))
	return s
}

// TestRoundsThatEnd early, each with one answer for the client and no further
// round.
func TestRoundsThatEnd(t *testing.T) {
	ask := input(`"s"`, wantsName)
	tests := []struct {
		name, capabilities string
		result             string
		act                func(r *rig, last func() *fakeCall)
		want               string // in the answer; empty: there is none
		asked, sent        int
	}{
		{"cannot elicit", `{}`, ask, nil, "that the client cannot do", 0, 1},
		{"says no to a model", everything, input("", wantsText), func(r *rig, _ func() *fakeCall) {
			r.send(`{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}`)
		}, "could not answer", 1, 1},
		{"answers what is no answer", everything, input("", wantsText), func(r *rig, _ func() *fakeCall) {
			r.send(`{"jsonrpc":"2.0","id":1,"result":{"role":"assistant","content":{"type":"text","Text":"x"},"model":"m"}}`)
		}, "could not answer", 1, 1},
		{"cancels", everything, ask, func(r *rig, _ func() *fakeCall) {
			r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
			r.send(`{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}`)
		}, "", 1, 1},
		{"leaves", everything, ask, func(r *rig, _ func() *fakeCall) { r.client.Close() }, "", 1, 1},
		{"blocked answer", everything, ask, func(r *rig, _ func() *fakeCall) {
			r.send(`{"jsonrpc":"2.0","id":1,"result":{"action":"accept","content":{"n":"EVIL"}}}`)
		}, `"type":"SecurityBlock"`, 1, 1},
		{"blocked question", everything, strings.Replace(ask, "who?", "EVIL", 1), nil, `"phase":"server_request"`, 0, 1},
		{"nothing wanted", everything, input(""), nil, "was not a valid message", 0, 1},
		{"another method", everything, input("", `"a":{"method":"tools/call","params":{}}`), nil, "was not a valid message", 0, 1},
		{"not allowed", everything, input("", wantsDirs), nil, "that it may not ask", 0, 1},
		{"in order", everything, ask, func(r *rig, last func() *fakeCall) {
			r.send(`{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}`) // as good as a cancel
			synctest.Wait()
			last().result(`{"content":[]}`)
		}, `"result":{"content":[]}`, 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{modern: true, tools: []string{"x"}}
				var calls []*fakeCall
				s.onCall = func(_ *fakeConn, c *fakeCall) { calls = append(calls, c) }
				r := start(t, func(o *Options) {
					o.Servers[0].MayAsk = protocol.AllCapabilities &^ protocol.Capabilities(protocol.Roots)
				}, s)
				r.greets(tt.capabilities)
				r.ask(toolsList)
				r.ask(call)
				calls[0].result(tt.result)
				synctest.Wait()
				if n := strings.Count(strings.Join(r.sink.frames, "\n"), `"id":1,"method"`); n != tt.asked {
					t.Errorf("asked %d times: %s", n, r.sink.frames)
				}
				if tt.act != nil {
					tt.act(r, func() *fakeCall { return calls[len(calls)-1] })
				}
				var answers []string
				for _, frame := range r.got() {
					if strings.Contains(frame, `"id":2,`) {
						answers = append(answers, frame)
					}
				}
				if tt.want == "" && len(answers) != 0 || tt.want != "" && (len(answers) != 1 || !strings.Contains(answers[0], tt.want)) {
					t.Errorf("got %s", answers)
				}
				time.Sleep(10 * time.Minute)
				if len(calls) != tt.sent || r.relay.servers()[0].unanswered() != 0 {
					t.Errorf("sent %d times", len(calls))
				}
				if n := r.client.session.InFlight(); n != 0 {
					t.Errorf("%d requests are in flight", n)
				}
			})
		})
	}
}

// TestRoundsAreBounded: a server that never has enough is given up.
func TestRoundsAreBounded(t *testing.T) {
	for _, request := range []string{"", wantsName} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{modern: true, tools: []string{"x"}}
			rounds := 0
			s.onCall = func(_ *fakeConn, c *fakeCall) {
				rounds++
				body := input(fmt.Sprintf(`"s%d"`, rounds), request)
				if request == "" {
					body = input(fmt.Sprintf(`"s%d"`, rounds))
				}
				go c.result(body)
			}
			r := start(t, nil, s)
			r.greets(everything)
			r.ask(toolsList)
			r.send(call)
			var got []string
			for n := 1; n <= 20; n++ {
				time.Sleep(10 * time.Second)
				got = append(got, r.got()...)
				r.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"action":"decline"}}`, n))
			}
			last := got[len(got)-1]
			if rounds != defaultMaxRounds+1 || !strings.Contains(last, `"id":2,"result"`) || !strings.Contains(last, "too many times") {
				t.Errorf("%d rounds, then %s", rounds, last)
			}
		})
	}
}

// TestWhatALegacyClientMayNotSay: answers and states are between the relay and
// a modern server.
func TestWhatALegacyClientMayNotSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{modern: true, tools: []string{"x"}}
		r := start(t, nil, s)
		r.greets(everything)
		r.ask(toolsList)
		r.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","requestState":"guess","inputResponses":{"a":{}}}}`)
		if got := s.took(); len(got) != 1 || strings.Contains(got[0], "guess") || strings.Contains(got[0], "inputResponses") {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestARoundThatEndsWhileItIsAsked asks nothing more, and takes back what it
// asked.
func TestARoundThatEndsWhileItIsAsked(t *testing.T) {
	for name, reply := range map[string]string{
		"refused":   `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}`,
		"cancelled": `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{modern: true, tools: []string{"x"}}
				held := s.holding()
				r := start(t, nil, s)
				r.greets(everything)
				r.ask(toolsList)
				r.sink.prompt, r.sink.react = true, func(frame string) {
					if strings.Contains(frame, protocol.CreateMessage) {
						r.send(reply)
					}
				}
				r.ask(call)
				held().result(input("", wantsText, wantsName, wantsDirs))
				got := strings.Join(r.got(), "\n")
				if strings.Contains(got, protocol.Elicit) || strings.Contains(got, protocol.ListRoots) {
					t.Errorf("got %s", got)
				}
				if told := strings.Contains(got, `"method":"notifications/cancelled","params":{"requestId":1}`); told != (name == "cancelled") {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}
