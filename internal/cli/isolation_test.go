package cli

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The tokens of two principals, as the tests of isolation have them.
const (
	anna = "token-of-anna-canary"
	bert = "token-of-bert-canary"
)

// startPrincipals starts a relay with two principals and one server, whatever
// else the section relay has.
func startPrincipals(t *testing.T, server map[string]any, relay ...any) *web {
	t.Helper()
	relay = append(relay, "http", object("tokens", object("anna", "${ANNA}", "bert", "${BERT}")), "scanners", noopOnly()["scanners"])
	w := startWeb(t, nil, object("mcpServers", object("one", server), "relay", object(relay...)), "ANNA="+anna, "BERT="+bert)
	w.token = anna
	return w
}

// mustClient connects a client of a principal.
func (w *web) mustClient(modern bool, token string) *client {
	w.t.Helper()
	c, err := w.client(modern, "Authorization", "Bearer "+token)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.stderr)
	}
	return c
}

// pid returns the process that serves a client.
func (w *web) pid(c *client) int {
	w.t.Helper()
	n, err := strconv.Atoi(c.text("one__pid"))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.stderr)
	}
	return n
}

// TestIsolation: who has servers of its own.
func TestIsolation(t *testing.T) {
	for mode, same := range map[string]struct{ session, era, principal bool }{
		"": {true, true, false}, "principal": {true, true, false}, "shared": {true, true, true}, "session": {false, false, false},
	} {
		relay := []any{}
		if mode != "" {
			relay = append(relay, "isolation", mode)
		}
		w := startPrincipals(t, hostileProgram("legacy"), relay...)
		first := w.pid(w.mustClient(false, anna))
		for what, test := range map[string]struct {
			pid  int
			same bool
		}{
			"another session":   {w.pid(w.mustClient(false, anna)), same.session},
			"a modern request":  {w.pid(w.mustClient(true, anna)), same.era},
			"another principal": {w.pid(w.mustClient(false, bert)), same.principal},
			"its request":       {w.pid(w.mustClient(true, bert)), same.principal},
		} {
			if (test.pid == first) != test.same {
				t.Errorf("isolation %q: %s: process %d beside %d", mode, what, test.pid, first)
			}
		}
	}
}

// TestSharedServerAsks: what a shared server asks while the calls of several
// clients are in flight is refused towards the server, and nobody is asked.
func TestSharedServerAsks(t *testing.T) {
	server, received := recording(t, "legacy")
	w := startPrincipals(t, server, "isolation", "shared")
	c := w.mustClient(false, anna)
	if got := c.text("one__elicit"); !strings.Contains(got, "Ada") || len(c.asked) != 1 {
		t.Errorf("the only call in flight: %s, asked %q", got, c.asked)
	}
	for _, modern := range []bool{false, true} {
		session, err := w.session("Authorization", "Bearer "+bert)
		if err != nil {
			t.Fatal(err)
		}
		headers := []string{"Authorization", "Bearer " + bert, "Mcp-Session-Id", session}
		other := w.begin(received, "gate", headers, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one__gate"}}`)
		c := w.mustClient(modern, anna)
		if got := c.text("one__elicit"); got != "error" || len(c.asked) != 0 {
			t.Errorf("modern %t: %s, asked %q", modern, got, c.asked)
		}
		if err := os.WriteFile(received+".open", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if a := <-other; strings.Contains(a.body, "Which name?") || !strings.Contains(a.body, `"text":"fine"`) {
			t.Errorf("the other client got %+v", a)
		}
		_ = os.Remove(received + ".open")
	}
	if !strings.Contains(contents(w.audit), `"reason":"request_of_no_client"`) {
		t.Error("the record says nothing")
	}
}

// TestStatesOfOthers: a modern client's state is of no use to another principal,
// and of none a second time.
func TestStatesOfOthers(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		w := startPrincipals(t, hostileProgram(era), "isolation", "shared")
		headers := modernHeaders("tools/call", "one__elicit")
		ask := func(token, extra string) string {
			return w.do("POST", "/mcp", strings.Replace(modernCall("1", "one__elicit"), `"arguments":{}`, `"arguments":{}`+extra, 1),
				slices.Concat(headers, []string{"Authorization", "Bearer " + token})...).body
		}
		first := ask(anna, "")
		_, state, ok := strings.Cut(first, `"requestState":"`)
		state, _, _ = strings.Cut(state, `"`)
		if !ok || state == "kept" {
			t.Fatalf("%s: %s", era, first)
		}
		key := "question"
		if era == "legacy" {
			key = "q1"
		}
		answers := `,"inputResponses":{"` + key + `":{"action":"accept","content":{"name":"Ada"}}},"requestState":"`
		unknown := ask(bert, answers+strings.Repeat("A", len(state))+`"`)
		if foreign := ask(bert, answers+state+`"`); foreign != unknown {
			t.Errorf("%s: a state of somebody else: %s\nan unknown one: %s", era, foreign, unknown)
		}
		both := make(chan string, 2)
		for range 2 {
			go func() { both <- ask(anna, answers+state+`"`) }()
		}
		taken := strings.Count(<-both+<-both, "Ada")
		if taken == 0 || era == "legacy" && taken != 1 { // a modern server's state may be good for more
			t.Errorf("%s: its own was taken %d times", era, taken)
		}
		if again := ask(anna, answers+state+`"`); era == "legacy" && again != ask(anna, answers+strings.Repeat("A", len(state))+`"`) {
			t.Errorf("%s: a second time: %s", era, again)
		}
	}
}
