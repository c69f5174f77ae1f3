package cli

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// TestManyClients has clients of both eras, which use the same ids, call at the
// same time: each gets the answer to its own call.
func TestManyClients(t *testing.T) {
	w := startWeb(t, nil, bothEras())
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			c, err := w.client(i%2 == 0)
			if err != nil {
				t.Errorf("%d: %v", i, err)
				return
			}
			for n := range 20 {
				tool := []string{"old__echo", "new__echo"}[n%2]
				mark := fmt.Sprintf("mark-%d-%d", i, n)
				m, err := c.send("tools/call", tool, []byte(`{"name":"`+tool+`","arguments":{"mark":"`+mark+`"}}`))
				if err != nil || !strings.Contains(string(m.Result), `"`+mark+`"`) {
					t.Errorf("%s got %s: %v", mark, m.Result, err)
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.Log(w.stderr)
	}
}

// TestSessions: a session is its principal's and is over when it is ended.
func TestSessions(t *testing.T) {
	w := startWeb(t, nil, one("http", object("tokens", object("a", "${A_TOKEN}", "b", "${B_TOKEN}"))), "A_TOKEN=token-of-a-canary", "B_TOKEN=token-of-b-canary")
	w.token = "token-of-a-canary"
	session, err := w.session()
	if err != nil {
		t.Fatalf("%v\n%s", err, w.stderr)
	}
	ping := func(headers ...string) int {
		return w.do("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, append([]string{"Mcp-Session-Id", session}, headers...)...).status
	}
	other := []string{"Authorization", "Bearer token-of-b-canary"}
	if got := ping(); got != 200 {
		t.Errorf("its own: %d", got)
	}
	if got := ping(other...); got != 404 {
		t.Errorf("somebody else's: %d", got)
	}
	if a := w.do("DELETE", "/mcp", "", append(other, "Mcp-Session-Id", session)...); a.status != 404 {
		t.Errorf("somebody else ends it: %d", a.status)
	}
	unknown := w.do("GET", "/mcp", "", "Mcp-Session-Id", strings.Repeat("A", len(session)))
	foreign := w.do("GET", "/mcp", "", append(other, "Mcp-Session-Id", session)...)
	unknown.header.Del("Date")
	foreign.header.Del("Date")
	if fmt.Sprint(unknown) != fmt.Sprint(foreign) {
		t.Errorf("a session of somebody else is told from none: %+v %+v", unknown, foreign)
	}
	if got := ping(); got != 200 {
		t.Errorf("after all that: %d", got)
	}
	call := `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"one__echo"}}`
	if a := w.do("POST", "/mcp", call, "Mcp-Session-Id", session); a.status != 200 {
		t.Errorf("a call: %+v", a)
	}
	if a := w.do("DELETE", "/mcp", "", "Mcp-Session-Id", session); a.status != 204 {
		t.Errorf("ending it: %d", a.status)
	}
	if got := ping(); got != 404 {
		t.Errorf("after its end: %d", got)
	}
	w.secret(t, session, "token-of-a-canary", "token-of-b-canary")
}

// TestOldClient serves a client that knows nothing but HTTP+SSE.
func TestOldClient(t *testing.T) {
	w := startWeb(t, nil, bothEras())
	s, err := w.open(w.request("GET", "/sse", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	endpoint, err := s.data()
	if err != nil || s.event != "endpoint" || !strings.HasPrefix(endpoint, "/messages?") {
		t.Fatalf("%s %s %v", s.event, endpoint, err)
	}
	post := func(body string) {
		t.Helper()
		if a := w.do("POST", endpoint, body); a.status != 202 {
			t.Errorf("%s: %+v", body, a)
		}
	}
	c := &client{}
	c.talk = func(id jsonrpc.ID, _, _ string, body []byte, other func(jsonrpc.Message) []byte) (jsonrpc.Message, error) {
		post(string(body))
		for {
			m, err := s.next()
			if err != nil || m.Kind() == jsonrpc.Response && m.ID == id {
				return m, err
			}
			if reply := other(m); reply != nil {
				post(string(reply))
			}
		}
	}
	hello := strings.Replace(initialize, "2025-11-25", "2024-11-05", 1)
	if m, err := c.talk(jsonrpc.IntID(0), "", "", []byte(hello), c.other); err != nil || !strings.Contains(string(m.Result), `"protocolVersion":"2024-11-05"`) {
		t.Fatalf("%s %v", m.Result, err)
	}
	for _, server := range []string{"old", "new"} {
		converse(t, "HTTP+SSE, "+server, c, server)
	}
	if a := w.do("POST", endpoint, `{"jsonrpc":"2.0","id":5,"method":"ping"}`, "Authorization", ""); a.status != 401 {
		t.Errorf("without a token: %d", a.status)
	}
	if a := w.do("POST", "/messages?sessionId=AAAA", `{"jsonrpc":"2.0","id":5,"method":"ping"}`); a.status != 404 {
		t.Errorf("an unknown session: %d", a.status)
	}
	w.secret(t, strings.TrimPrefix(endpoint, "/messages?sessionId="))
}

// TestSlowClient: one client reads nothing of what it asked for, while another
// gets all of its answers.
func TestSlowClient(t *testing.T) {
	w := startWeb(t, nil, bothEras())
	slow, err := w.session()
	if err != nil {
		t.Fatalf("%v\n%s", err, w.stderr)
	}
	var unread []*stream
	for i := range 16 {
		r := w.request("POST", "/mcp", fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"old__big"}}`, i+1), "Mcp-Session-Id", slow)
		s, err := w.open(r)
		if err != nil {
			t.Fatal(err)
		}
		unread = append(unread, s)
	}
	for _, modern := range []bool{false, true} {
		c, err := w.client(modern)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			for _, server := range []string{"old", "new"} {
				if got := c.text(server + "__echo"); got != "echo" {
					t.Fatalf("modern %t, %s: %s\n%s", modern, server, got, w.stderr)
				}
			}
		}
	}
	// Nothing of what waited is lost.
	for i, s := range unread {
		m, err := s.next()
		if err != nil || m.ID.Raw() != fmt.Sprint(i+1) || len(m.Result) < 1<<20 {
			t.Errorf("answer %d: %s, %d bytes: %v", i+1, m.ID.Raw(), len(m.Result), err)
		}
		s.close()
	}
}

// TestDeafClient: a client asks for more than the relay keeps for it and never
// reads. Nobody else notices.
func TestDeafClient(t *testing.T) {
	w := startWeb(t, nil, bothEras())
	deaf, err := net.Dial("tcp", w.url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deaf.Close() }()
	_, _ = fmt.Fprintf(deaf, "GET /sse HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: text/event-stream\r\n\r\n", w.url[len("http://"):], w.token)
	lines := bufio.NewReaderSize(deaf, 512) // and not a byte more
	endpoint := ""
	for !strings.HasPrefix(endpoint, "data: ") {
		if endpoint, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	endpoint = strings.TrimSpace(strings.TrimPrefix(endpoint, "data: "))
	w.do("POST", endpoint, initialize)
	c := w.mustClient(true, w.token)
	for i := range 40 {
		w.do("POST", endpoint, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"old__big"}}`, i+1))
		if got := c.text("old__echo"); got != "echo" {
			t.Fatalf("the other client got %s", got)
		}
	}
	if got := c.text("new__echo"); got != "echo" {
		t.Errorf("afterwards the other client got %s", got)
	}
}
