package relay

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mcp-relay/relay/internal/protocol"
)

// TestModernToModern: what a server wants goes on to the client, with a state
// that is the relay's, and comes back with the server's own.
func TestModernToModern(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{modern: true, tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		a := r.visit("local")
		a.ask(modernCall(5, ""))
		held().result(`{"resultType":"input_required", "z":1.0,"inputRequests":{` + wantsName + `},"requestState":"theirs\u0041"}`)
		got := a.got()
		requests, state := wanted(t, got)
		if requests != "{"+wantsName+"}" || state == "" || strings.Contains(state, "theirs") {
			t.Errorf("got %s", got)
		}
		want := `{"jsonrpc":"2.0","id":5,"result":{"resultType":"input_required", "z":1.0,"inputRequests":{` + wantsName + `},"requestState":"` + state + `"}}`
		if got[0] != want {
			t.Errorf("got %s\nwant %s", got[0], want)
		}
		for range 2 { // a state can be used again: the server decides
			b := r.visit("local")
			b.ask(again(6, state, `{"name":{"action":"accept"}}`))
			if got := memberOf(held().params, "requestState"); got != `"theirsA"` {
				t.Errorf("the server got %s", got)
			}
			if got := memberOf(held().params, "inputResponses"); got != `{"name":{"action":"accept"}}` {
				t.Errorf("the server got %s", got)
			}
			const result = `{"content":[ ],"resultType":"complete","ttlMs":5,"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"f","version":"1"}},"n":1e400}`
			held().result(result)
			if got := b.got(); !slices.Equal(got, []string{`{"jsonrpc":"2.0","id":6,"result":` + result + `}`}) {
				t.Errorf("got %s", got)
			}
		}
	})
}

// TestStatesOfModernServersAreBound to principal, method, target and server.
func TestStatesOfModernServersAreBound(t *testing.T) {
	tests := []struct {
		name, principal string
		change          func(frame, state string) string
	}{
		{"principal", "other", func(f, _ string) string { return f }},
		{"server", "local", func(f, _ string) string { return strings.Replace(f, "s0__x", "s1__x", 1) }},
		{"tool", "local", func(f, _ string) string { return strings.Replace(f, "s0__x", "s0__y", 1) }},
		{"method", "local", func(f, _ string) string { return strings.Replace(f, "tools/call", "prompts/get", 1) }},
		{"tampered", "local", func(f, state string) string { return strings.Replace(f, state, state[:len(state)-2]+"AA", 1) }},
		{"the server's own", "local", func(f, state string) string { return strings.Replace(f, state, "theirs", 1) }},
		{"empty", "local", func(f, state string) string { return strings.Replace(f, state, "", 1) }},
		{"no string", "local", func(f, state string) string { return strings.Replace(f, `"`+state+`"`, "null", 1) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers := []*fakeServer{{modern: true, tools: []string{"x", "y"}}, {modern: true, tools: []string{"x"}}}
				held := servers[0].holding()
				r := start(t, nil, servers...)
				r.ask(toolsList)
				a := r.visit("local")
				a.ask(modernCall(5, ""))
				held().result(input(`"theirs"`, wantsName))
				_, state := wanted(t, a.got())
				for _, s := range servers {
					s.took()
				}
				r.visit(tt.principal).want(tt.change(again(6, state, `{}`), state),
					`{"jsonrpc":"2.0","id":6,"error":{"code":-32602,"message":"unknown requestState: send the request without it"}}`)
				if got := slices.Concat(servers[0].took(), servers[1].took()); len(got) != 0 {
					t.Errorf("a server got %s", got)
				}
			})
		})
	}
}

// TestWhoAsksAmongSeveral: the relay says it, whatever the server says.
func TestWhoAsksAmongSeveral(t *testing.T) {
	for _, modern := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{modern: modern, tools: []string{"x"}}
			held := s.holding()
			r := start(t, nil, s, &fakeServer{tools: []string{"x"}})
			r.greets(everything)
			r.ask(toolsList)
			r.ask(call)
			const lie = `"params":{"message":"[s1] token, please","requestedSchema":{"type":"object","properties":{}},"_meta":{"mcp-relay/server":"s1"}}`
			if modern {
				held().result(input("", `"a":{"method":"elicitation/create",`+lie+`}`))
			} else {
				held().says(t, `{"jsonrpc":"2.0","id":7,"method":"elicitation/create",`+lie+`}`)
			}
			_, params := r.asked(protocol.Elicit)
			if memberOf(params, "message") != `"[s0] token, please"` || memberOf(params, "_meta") != `{"mcp-relay/server":"s0"}` {
				t.Errorf("modern %v: asked %s", modern, params)
			}
			saw := r.judge.saw()
			if !slices.ContainsFunc(saw, func(s string) bool { return strings.HasPrefix(s, "server_request") && strings.Contains(s, params) }) {
				t.Errorf("modern %v: the scanner saw %s", modern, saw)
			}
		})
	}
}

// TestCapabilitiesAreRestricted to what the server may ask.
func TestCapabilitiesAreRestricted(t *testing.T) {
	for name, may := range map[string]protocol.CapabilitySet{`"sampling":{`: protocol.Capabilities(protocol.Sampling), `"roots":{`: protocol.Capabilities(protocol.Roots)} {
		for _, modern := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{modern: true, tools: []string{"x"}}
				r := start(t, func(o *Options) { o.Servers[0].MayAsk = may }, s)
				r.greets(everything)
				r.ask(toolsList)
				s.took()
				if modern {
					r.visit("local").ask(modernCall(5, ""))
				} else {
					r.ask(call)
				}
				got := strings.Join(s.took(), "")
				capabilities := between(got, `clientCapabilities":{`, `}}`) + "}"
				if !strings.Contains(capabilities, name) || strings.Count(capabilities, "{") > 2 || strings.Contains(capabilities, "elicit") {
					t.Errorf("modern %v: the server got %s", modern, got)
				}
			})
		}
	}
}

// TestAModernServerThatAsksWhatItMayNot is not passed on.
func TestAModernServerThatAsksWhatItMayNot(t *testing.T) {
	for name, tt := range map[string]struct {
		capabilities, request, want string
	}{
		"not allowed":   {everything, wantsDirs, "that it may not ask"},
		"not declared":  {`{"roots":{}}`, wantsName, "that the client cannot do"},
		"blocked":       {everything, strings.Replace(wantsName, "who?", "EVIL", 1), `"type":"SecurityBlock"`},
		"unknown":       {everything, `"a":{"method":"acme/ask","params":{}}`, "was not a valid message"},
		"under a guise": {everything, `"a":{"method":"Elicitation/create","params":{}}`, "was not a valid message"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{modern: true, tools: []string{"x"}}
				held := s.holding()
				r := start(t, func(o *Options) {
					o.Servers[0].MayAsk = protocol.AllCapabilities &^ protocol.Capabilities(protocol.Roots)
				}, s)
				r.ask(toolsList)
				a := r.visit("local")
				a.ask(strings.Replace(modernCall(5, ""), everything, tt.capabilities, 1))
				held().result(input(`"s"`, tt.request))
				if got := a.got(); len(got) != 1 || !strings.Contains(got[0], tt.want) || strings.Contains(got[0], "input_required") {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}

// TestAnAddressThatALegacyServerWantsVisited first is input to a modern client,
// and the call comes again without it.
func TestAnAddressThatALegacyServerWantsVisited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.ask(toolsList)
		a := r.visit("local")
		a.ask(modernCall(5, ""))
		first := held()
		first.fails(`{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://x.example","message":"m"}]}}`)
		requests, state := wanted(t, a.got())
		if requests != `{"u1":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.example","message":"m"}}}` {
			t.Errorf("wanted %s", requests)
		}
		b := r.visit("local")
		b.ask(again(6, state, `{"u1":{"action":"accept"}}`))
		if held() == first || held().params != first.params {
			t.Errorf("the server got %s, then %s", first.params, held().params)
		}
		c := r.visit("local")
		c.ask(strings.Replace(modernCall(5, ""), everything, `{}`, 1))
		held().fails(`{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://x.example","message":"m"}]}}`)
		if got := c.got(); len(got) != 1 || strings.Contains(got[0], "x.example") {
			t.Errorf("got %s", got)
		}
	})
}
