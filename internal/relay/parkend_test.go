package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/protocol"
)

// parkedCall has a call of a modern client parked, and returns its state.
func parkedCall(t *testing.T, r *rig, held func() *fakeCall) (c *fakeCall, state string) {
	t.Helper()
	a := r.visit("local")
	a.ask(modernCall(5, ""))
	held().says(t, elicit)
	_, state = wanted(t, a.soon())
	a.client.Close()
	return held(), state
}

// TestAParkedCallThatNobodyComesBackFor is cancelled at its server.
func TestAParkedCallThatNobodyComesBackFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		c, state := parkedCall(t, r, held)
		s.took()
		time.Sleep(defaultParkedTTL + time.Second)
		synctest.Wait()
		want := []string{`answer 7 {"code":-32603,"message":"the call is over"}`, `notifications/cancelled {"requestId":` + c.id.Raw() + `}`}
		if got := s.took(); !slices.Equal(got, want) {
			t.Errorf("the server got %s", got)
		}
		if x := c.by.(*exchange); x.parked.ctx.Err() == nil || r.relay.servers()[0].unanswered() != 0 {
			t.Error("the call lives on")
		}
		r.visit("local").wantPart(again(6, state, accepted), "unknown requestState")
	})
}

// TestARetryThatIsAnother is answered like one whose state never was, and what
// it could have harmed goes on, unless it is the client's own mistake.
func TestARetryThatIsAnother(t *testing.T) {
	unknown := func(t *testing.T) string {
		t.Helper()
		var got []string
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x", "y"}}
			r := start(t, nil, s)
			r.ask(toolsList)
			got = r.visit("local").ask(again(6, "never", accepted))
		})
		return strings.Join(got, "\n")
	}(t)
	tests := []struct {
		name, principal string
		change          func(frame, state string) string
		survives        bool
	}{
		{"principal", "other", func(f, _ string) string { return f }, true},
		{"tool", "local", func(f, _ string) string { return strings.Replace(f, "s0__x", "s0__y", 1) }, true},
		{"method", "local", func(f, _ string) string { return strings.Replace(f, "tools/call", "prompts/get", 1) }, true},
		{"one character", "local", func(f, state string) string { return strings.Replace(f, state, "A"+state[1:], 1) }, true},
		{"cut", "local", func(f, state string) string { return strings.Replace(f, state, state[:len(state)-1], 1) }, true},
		{"longer", "local", func(f, state string) string { return strings.Replace(f, state, state+"A", 1) }, true},
		{"of another type", "local", func(f, state string) string { return strings.Replace(f, `"`+state+`"`, `{}`, 1) }, true},
		{"lone surrogate", "local", func(f, state string) string { return strings.Replace(f, state, `\ud800`, 1) }, true},
		{"arguments", "local", func(f, _ string) string { return strings.Replace(f, `{"a":1}`, `{"a":2}`, 1) }, false},
		{"no arguments", "local", func(f, _ string) string { return strings.Replace(f, `"arguments":{"a":1},`, ``, 1) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x", "y"}}
				held := s.holding()
				r := start(t, nil, s)
				r.ask(toolsList)
				c, state := parkedCall(t, r, held)
				s.took()
				got := r.visit(tt.principal).ask(tt.change(again(6, state, accepted), state))
				if strings.Join(got, "\n") != unknown {
					t.Errorf("got %s\nwant %s", got, unknown)
				}
				cancelled := slices.ContainsFunc(s.took(), func(m string) bool { return strings.HasPrefix(m, "notifications/cancelled") })
				if cancelled == tt.survives || held() != c {
					t.Errorf("cancelled %v", cancelled)
				}
				b := r.visit("local")
				b.ask(again(6, state, accepted))
				c.result(`{"content":[]}`)
				if got := b.got(); (len(got) == 1) != tt.survives {
					t.Errorf("the retry got %s", got)
				}
				if c.by.(*exchange).parked.ctx.Err() == nil {
					t.Error("the call's context lives on")
				}
			})
		})
	}
}

// TestTheSameArgumentsInOtherWords go on with the call.
func TestTheSameArgumentsInOtherWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		c, state := parkedCall(t, r, held)
		b := r.visit("local")
		b.send(strings.Replace(again(6, state, accepted), `{"a":1}`, `{ "\u0061" : 1 }`, 1))
		synctest.Wait()
		c.result(`{"content":[]}`)
		if got := b.got(); len(got) != 1 || !strings.Contains(got[0], `"content":[]`) {
			t.Errorf("got %s", got)
		}
	})
}

// TestABlockedRetry ends the call: its answers never reach the server.
func TestABlockedRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		c, state := parkedCall(t, r, held)
		s.took()
		r.visit("local").wantPart(again(6, state, `{"q1":{"action":"accept","content":{"n":"EVIL"}}}`), `"type":"SecurityBlock"`, `"phase":"request"`)
		if got := s.took(); len(got) != 2 || strings.Contains(strings.Join(got, ""), "EVIL") || !strings.HasPrefix(got[1], "notifications/cancelled") {
			t.Errorf("the server got %s", got)
		}
		if c.by.(*exchange).parked.ctx.Err() == nil {
			t.Error("the call's context lives on")
		}
	})
}

// TestAnswersThatAreNone are asked for again.
func TestAnswersThatAreNone(t *testing.T) {
	for _, responses := range []string{`{}`, `{"q9":{"action":"accept"}}`, `{"q1":{"role":"assistant","content":{"type":"text","Text":"x"},"model":"m"}}`} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}}
			held := s.holding()
			r := start(t, nil, s)
			r.ask(toolsList)
			a := r.visit("local")
			a.ask(modernCall(5, ""))
			held().says(t, sample)
			before, state := wanted(t, a.soon())
			s.took()
			b := r.visit("local")
			b.send(again(6, state, responses))
			after, next := wanted(t, b.soon())
			if after != before || next == state || len(s.took()) != 0 {
				t.Errorf("%s: wanted %s, then %s", responses, before, after)
			}
		})
	}
}

// TestModernClientsThatCancel: before the call was sent, while it runs, and when
// they came back.
func TestModernClientsThatCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		r.judge.dawdle(time.Hour)
		a := r.visit("local")
		a.ask(strings.Replace(modernCall(5, ""), `{"a":1}`, `"SLOW"`, 1))
		a.client.Close()
		synctest.Wait()
		if held() != nil || len(s.took()) != 0 || r.judge.cutShort() != 1 {
			t.Error("it was sent, or judged to the end")
		}

		b := r.visit("local")
		b.ask(modernCall(6, ""))
		first := held()
		b.client.Close()
		c, state := parkedCall(t, r, held)
		d := r.visit("local")
		d.ask(again(7, state, `{"q1":{"action":"decline"}}`))
		d.client.Close()
		synctest.Wait()
		for _, call := range []*fakeCall{first, c} {
			if !call.ended || call.by.(*exchange).parked.ctx.Err() == nil {
				t.Error("a cancelled call lives on")
			}
		}
		cancelled := slices.DeleteFunc(s.took(), func(m string) bool { return !strings.HasPrefix(m, "notifications/cancelled") })
		if len(cancelled) != 2 {
			t.Errorf("the server got %s", cancelled)
		}
	})
}

// TestTooManyParkedCalls: the server is told that nobody can be asked, and the
// call goes on without.
func TestTooManyParkedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, func(o *Options) { o.MaxParked = 2 }, s)
		r.ask(toolsList)
		for range 2 {
			parkedCall(t, r, held)
			s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`) // the id is free again
		}
		a := r.visit("local")
		a.ask(modernCall(5, ""))
		s.took()
		held().says(t, elicit)
		if got := a.soon(); len(got) != 0 {
			t.Errorf("got %s", got)
		}
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 7 {"code":-32603`) {
			t.Errorf("the server got %s", got)
		}
		held().result(`{"content":[]}`)
		if got := a.got(); len(got) != 1 || !strings.Contains(got[0], `"content":[]`) {
			t.Errorf("got %s", got)
		}
		other := r.visit("other")
		other.ask(modernCall(5, ""))
		held().says(t, elicit)
		wanted(t, other.soon())
	})
}

// TestParkedCallsOfAllCores: who is the first to have a call parked leaves no
// room for another core's.
func TestParkedCallsOfAllCores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := bridge.NewRoom(1)
		var held [2]func() *fakeCall
		var rigs [2]*rig
		for i := range rigs {
			s := &fakeServer{tools: []string{"x"}}
			held[i] = s.holding()
			rigs[i] = start(t, func(o *Options) { o.Parking = room }, s)
			rigs[i].ask(toolsList)
		}
		parkedCall(t, rigs[0], held[0])
		c := rigs[1].visit("other")
		c.ask(modernCall(5, ""))
		held[1]().says(t, elicit)
		if got := c.soon(); len(got) != 0 {
			t.Errorf("got %s", got)
		}
	})
}

// TestTooManyQuestionsOfAParkedCall: no more than one answer may hold.
func TestTooManyQuestionsOfAParkedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		a := r.visit("local")
		a.ask(modernCall(5, ""))
		s.took()
		for i := range protocol.MaxInputRequests + 1 {
			held().says(t, strings.Replace(elicit, `"id":7`, fmt.Sprintf(`"id":%d`, 100+i), 1))
		}
		requests, _ := wanted(t, a.soon())
		if n := strings.Count(requests, protocol.Elicit); n != protocol.MaxInputRequests {
			t.Errorf("wanted %d", n)
		}
		if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], `answer 116 {"code":-32601`) {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestTooManyRoundsOfAParkedCall: a server that asks for ever is refused.
func TestTooManyRoundsOfAParkedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, func(o *Options) { o.MaxInputRounds = 2 }, s)
		r.ask(toolsList)
		a := r.visit("local")
		a.ask(modernCall(5, ""))
		for i := range 2 {
			held().says(t, strings.Replace(elicit, `"id":7`, fmt.Sprintf(`"id":%d`, 100+i), 1))
			_, state := wanted(t, a.soon())
			a = r.visit("local")
			a.send(again(6+i, state, fmt.Sprintf(`{"q%d":{"action":"accept","content":{}}}`, i+1)))
			synctest.Wait()
		}
		s.took()
		for id := range 3 {
			held().says(t, strings.Replace(elicit, `"id":7`, fmt.Sprintf(`"id":%d`, 200+id), 1))
			if got := a.soon(); len(got) != 0 {
				t.Errorf("the client got %s", got)
			}
			if got := s.took(); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf(`answer %d {"code":`, 200+id)) {
				t.Errorf("the server got %s", got)
			}
		}
		held().result(`{"content":[]}`)
		if got := a.soon(); len(got) != 1 || !strings.Contains(got[0], `"resultType":"complete"`) {
			t.Errorf("the client got %s", got)
		}
	})
}

// TestAFloodOfNotificationsForAParkedCall is cut off and recorded.
func TestAFloodOfNotificationsForAParkedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		c, state := parkedCall(t, r, held)
		for range maxHeld + 2 {
			c.says(t, `{"jsonrpc":"2.0","method":"notifications/acme","params":{}}`)
			synctest.Wait()
		}
		b := r.visit("local")
		b.send(again(6, state, accepted))
		if got := b.got(); len(got) != maxHeld {
			t.Errorf("%d notifications", len(got))
		}
		if words := r.audit.anomalies(); !slices.Equal(words, []string{"too_many_notifications", "too_many_notifications"}) {
			t.Errorf("anomalies %s", words)
		}
		c.result(`{"content":[]}`)
	})
}
