package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

const sessionHeader = "Mcp-Session-Id"

// names knows a token by its own name.
type names map[string]string

func (n names) Verify(token string) (string, bool) { p, ok := n[token]; return p, ok }

func TestLegacySession(t *testing.T) {
	p := serveHTTP(t, nil)
	id, g := p.initialize()
	if g.hello.Session == id || len(g.hello.Session) < 26 || g.hello.Stateless || g.hello.Mirrored != nil || g.hello.Principal != "local" || len(id) < 26 {
		t.Errorf("%+v", g.hello)
	}
	other, _ := p.initialize()
	if other == id {
		t.Error("two sessions have one id")
	}
	in := []string{sessionHeader, id, "MCP-Protocol-Version", "2025-11-25"}
	for range 2 { // an id is free again once it was answered
		if a := p.do("POST", "/mcp", legacyCall("1", "echo"), in...); a.status != 200 || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v", a)
		}
	}
	for _, body := range []string{
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":"s1","result":{}}`,
		`{"jsonrpc":"2.0","id":"s2","error":{"code":1,"message":"x"}}`,
	} {
		if a := p.do("POST", "/mcp", body, in...); a.status != http.StatusAccepted || a.body != "" {
			t.Errorf("%+v", a)
		}
		if m := g.next(); string(m.Frame) != body {
			t.Errorf("the host got %s", m.Frame)
		}
	}
	if a := p.do("POST", "/mcp", legacyCall("2", "fail/-32601"), in...); a.status != 200 {
		t.Errorf("a legacy error has status %d", a.status)
	}
	if a := p.do("DELETE", "/mcp", "", in...); a.status != http.StatusNoContent {
		t.Errorf("%+v", a)
	}
	g.waitClosed()
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if a := p.do(method, "/mcp", legacyCall("3", "echo"), in...); a.status != http.StatusNotFound {
			t.Errorf("%s after the end: %+v", method, a)
		}
	}
}

func TestLegacyVersions(t *testing.T) {
	p := serveHTTP(t, nil)
	id, _ := p.initialize()
	for version, want := range map[string]int{"": 200, "2024-11-05": 200, "2025-03-26": 200, "2025-06-18": 200, "2025-11-25": 200, "1.0": 400, "2025-11-24": 400, "x": 400} {
		if a := p.do("POST", "/mcp", legacyCall("1", "echo"), sessionHeader, id, "MCP-Protocol-Version", version); a.status != want {
			t.Errorf("%q: %d", version, a.status)
		}
	}
	if a := p.do("POST", "/mcp", legacyCall("1", "echo"), sessionHeader, id, "MCP-Protocol-Version", "2025-11-25", "MCP-Protocol-Version", "2025-06-18"); a.status != 400 {
		t.Errorf("two versions: %d", a.status)
	}
	// Clients of the first revision with this transport may send batches.
	a := p.do("POST", "/mcp", "["+legacyCall("1", "echo")+"]", sessionHeader, id)
	if a.status != 400 || !strings.HasPrefix(a.body, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`) {
		t.Errorf("a batch: %+v", a)
	}
}

// A session of somebody else is none, byte for byte.
func TestSessionsBelongToPrincipals(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.Tokens = names{"ta": "a", "tb": "b"} })
	id, _ := p.initialize("Authorization", "Bearer ta")
	s := p.stream(p.open("GET", "/sse", "", "Accept", "text/event-stream", "Authorization", "Bearer ta"))
	messages := s.must().data
	unknownMessages := messages[:len(messages)-4] + "AAAA"
	for _, tt := range []struct{ method, path, unknown, body string }{
		{"POST", "/mcp", "", legacyCall("1", "echo")}, {"GET", "/mcp", "", ""}, {"DELETE", "/mcp", "", ""},
		{"POST", "/mcp", "", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":0}}`},
		{"POST", messages, unknownMessages, legacyCall("1", "echo")},
	} {
		var got [2]answerOf
		for i, session := range []string{id, strings.Repeat("A", 26)} {
			path := tt.path
			if i == 1 && tt.unknown != "" {
				path = tt.unknown
			}
			got[i] = p.do(tt.method, path, tt.body, "Authorization", "Bearer tb", sessionHeader, session)
			got[i].header.Del("Date")
		}
		if got[0].status != 404 || fmt.Sprint(got[0]) != fmt.Sprint(got[1]) {
			t.Errorf("%s %s: %+v and %+v", tt.method, tt.path, got[0], got[1])
		}
	}
	if a := p.do("POST", "/mcp", legacyCall("1", "echo"), "Authorization", "Bearer ta", sessionHeader, id); a.status != 200 {
		t.Errorf("its own: %+v", a)
	}
}

func TestLegacyNeedsASession(t *testing.T) {
	p := serveHTTP(t, nil)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if a := p.do(method, "/mcp", legacyCall("1", "echo")); a.status != 400 {
			t.Errorf("%s: %+v", method, a)
		}
	}
}

// TestUnusedSessionsGiveWay: clients that left without a word do not lock others
// of their principal out, and nobody else's session ends for them.
func TestUnusedSessionsGiveWay(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.unused = 0 })
	p.desk.most = 2
	start := func() string {
		t.Helper()
		a := p.do("POST", "/mcp", legacyCall("1", "initialize"))
		if a.status != 200 {
			t.Fatalf("%+v", a)
		}
		return a.header.Get(sessionHeader)
	}
	call := func(id string) int { return p.do("POST", "/mcp", legacyCall("2", "echo"), sessionHeader, id).status }
	first, second := start(), start()
	if call(first) != 200 { // now the second is the one that was not used for longer
		t.Fatal("the first session is gone")
	}
	third := start()
	if call(first) != 200 || call(second) != 404 || call(third) != 200 {
		t.Error("another session gave way than the one that was not used")
	}
	p.handler.limits.unused = time.Hour
	if a := p.do("POST", "/mcp", legacyCall("1", "initialize")); a.status != 429 {
		t.Errorf("sessions in use gave way: %+v", a)
	}
}

func TestTooManyClients(t *testing.T) {
	p := serveHTTP(t, nil)
	p.desk.refuse = fmt.Errorf("no: %w", peer.ErrTooMany)
	body, headers := modernCall("1", "echo")
	if a := p.do("POST", "/mcp", body, headers...); a.status != 429 {
		t.Errorf("%+v", a)
	}
	if a := p.do("POST", "/mcp", legacyCall("1", "initialize")); a.status != 429 || a.header.Get(sessionHeader) != "" {
		t.Errorf("%+v", a)
	}
	if a := p.do("GET", "/sse", "", "Accept", "text/event-stream"); a.status != 429 {
		t.Errorf("%+v", a)
	}
	p.desk.refuse = errors.New("no")
	if a := p.do("POST", "/mcp", body, headers...); a.status != 503 {
		t.Errorf("%+v", a)
	}
}

// A session that could not be started is none.
func TestFailedInitialize(t *testing.T) {
	p := serveHTTP(t, nil)
	p.desk.failing.Store(true)
	a := p.do("POST", "/mcp", legacyCall("1", "initialize"))
	if a.status != 200 || a.header.Get(sessionHeader) != "" || !strings.Contains(a.body, "-32602") {
		t.Errorf("%+v", a)
	}
	p.desk.connected().waitClosed()
	p.handler.mu.Lock()
	defer p.handler.mu.Unlock()
	if len(p.handler.sessions) != 0 {
		t.Error("the session stays")
	}
}

func TestConcurrentPosts(t *testing.T) {
	p := serveHTTP(t, nil)
	id, g := p.initialize()
	answers := make(chan answerOf, 2)
	for _, call := range []string{"1", `"1"`} { // different ids
		go func() { answers <- p.do("POST", "/mcp", legacyCall(call, "wait"), sessionHeader, id) }()
	}
	a, b := g.next(), g.next()
	// One that is in use is refused, and the open one is not disturbed.
	if dup := p.do("POST", "/mcp", legacyCall("1", "echo"), sessionHeader, id); dup.status != 400 || !strings.HasPrefix(dup.body, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600`) {
		t.Errorf("%+v", dup)
	}
	for i, m := range []jsonrpc.Message{a, b} {
		if err := g.sink.Respond(m.ID, result(fmt.Sprint(i))); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		got := <-answers
		want := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":0}`, a.ID.Raw())
		if got.body != want && got.body != fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":1}`, b.ID.Raw()) {
			t.Errorf("%+v", got)
		}
	}
	if err := g.sink.Respond(a.ID, result("2")); !errors.Is(err, peer.ErrNoStream) {
		t.Errorf("a second answer: %v", err)
	}
}

func TestTooManyRequestsOfASession(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.streams = 1 })
	id, g := p.initialize()
	done := make(chan answerOf)
	go func() { done <- p.do("POST", "/mcp", legacyCall("1", "wait"), sessionHeader, id) }()
	m := g.next()
	if a := p.do("POST", "/mcp", legacyCall("2", "echo"), sessionHeader, id); a.status != 429 {
		t.Errorf("%+v", a)
	}
	g.try(g.sink.Respond(m.ID, result("{}")))
	<-done
	if a := p.do("POST", "/mcp", legacyCall("2", "echo"), sessionHeader, id); a.status != 200 {
		t.Errorf("%+v", a)
	}
}

// Who leaves cancels in the modern era and does not in the legacy one.
func TestDisconnect(t *testing.T) {
	p := serveHTTP(t, nil)
	id, legacy := p.initialize()
	leave := func(body string, headers ...string) (left func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			resp, err := p.client.Do(p.request("POST", "/mcp", body, headers...).WithContext(ctx))
			if err == nil {
				_ = resp.Body.Close()
			}
		})
		return func() { cancel(); wg.Wait() }
	}
	body, headers := modernCall("1", "wait")
	left := leave(body, headers...)
	modern := p.desk.connected()
	m := modern.next()
	left()
	modern.waitClosed()
	if err := modern.sink.Respond(m.ID, result("{}")); err == nil {
		t.Error("an answer for nobody was taken")
	}

	left = leave(legacyCall("1", "wait"), sessionHeader, id)
	m = legacy.next()
	left()
	// It is known that nobody reads when the answer has no way.
	s := p.handler.sessions[id]
	until(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.open[m.ID].q == nil })
	if err := legacy.sink.Respond(m.ID, result("{}")); !errors.Is(err, peer.ErrNoStream) {
		t.Errorf("got %v", err)
	}
	select {
	case <-legacy.closed:
		t.Error("a lost connection ended a legacy client")
	default:
	}
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not happen")
}

// A request that its client cancelled is not answered, and its POST ends.
func TestCancelledPostEnds(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.write = 300 * time.Millisecond })
	id, g := p.initialize()
	done := make(chan answerOf)
	go func() { done <- p.do("POST", "/mcp", legacyCall(`"x"`, "wait"), sessionHeader, id) }()
	g.next()
	time.Sleep(400 * time.Millisecond) // longer than what is answered at once may take
	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}`
	if a := p.do("POST", "/mcp", cancel, sessionHeader, id); a.status != 202 {
		t.Errorf("%+v", a)
	}
	if a := <-done; a.status != 202 || a.body != "" {
		t.Errorf("%+v", a)
	}
	// One whose stream is open ends with it.
	resp := make(chan *http.Response)
	go func() { resp <- p.open("POST", "/mcp", legacyCall(`"x"`, "wait"), sessionHeader, id) }()
	g.next() // the cancellation
	m := g.next()
	g.try(g.sink.Notify(m.ID, note("n", "{}")))
	s := p.stream(<-resp)
	s.must()
	p.do("POST", "/mcp", cancel, sessionHeader, id)
	s.end()
}

func TestSessionsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := newDesk(t)
		h := NewHandler(HandlerOptions{Host: desk, Log: quietTo(&logBuffer{}), MaxMessage: 1000, Shape: protocol.Message()})
		defer h.Close()
		send := func(ctx context.Context, method, session, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(ctx, method, "/mcp", strings.NewReader(body))
			r = atAddress(r, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80})
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/json")
			if session != "" {
				r.Header.Set(sessionHeader, session)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		start := func() (string, *guest) {
			id := send(t.Context(), "POST", "", legacyCall("1", "initialize")).Header().Get(sessionHeader)
			return id, desk.connected()
		}
		ended := func(g *guest) bool {
			synctest.Wait()
			return g.closes.Load() > 0
		}
		unused, first := start()
		used, second := start()
		listening, third := start()
		asking, fourth := start()
		ctx, leave := context.WithCancel(t.Context())
		go send(ctx, "GET", listening, "")
		go send(ctx, "POST", asking, legacyCall("1", "wait"))
		m := fourth.next()

		time.Sleep(defaultIdle - time.Second)
		if send(t.Context(), "POST", used, legacyCall("1", "echo")).Code != 200 || ended(first) {
			t.Error("a session ended too early")
		}
		time.Sleep(2 * time.Second)
		if !ended(first) || ended(second) || send(t.Context(), "POST", unused, legacyCall("1", "echo")).Code != 404 {
			t.Error("an unused session stays, or another ended")
		}
		time.Sleep(defaultIdle)
		if !ended(second) || ended(third) || ended(fourth) {
			t.Error("a session with a stream or a request ended")
		}
		leave()
		synctest.Wait()
		time.Sleep(10 * defaultIdle)
		if !ended(third) || ended(fourth) {
			t.Error("a stream that ended keeps its session, or a request in flight does not")
		}
		if err := fourth.sink.Respond(m.ID, result("{}")); !errors.Is(err, peer.ErrNoStream) && err != nil {
			t.Error(err)
		}
		time.Sleep(2 * defaultIdle)
		if !ended(fourth) {
			t.Error("a request that was answered keeps its session")
		}
	})
}

// Every message of a request leaves before its answer, in order.
func TestLegacyStream(t *testing.T) {
	p := serveHTTP(t, nil)
	id, _ := p.initialize()
	s := p.stream(p.open("POST", "/mcp", legacyCall("1", "count/1000"), sessionHeader, id))
	for i := range 1000 {
		if e := s.must(); !isN(e, i) || e.id != fmt.Sprintf("2-%d", i+1) {
			t.Fatalf("%d: %+v", i, e)
		}
	}
	if e := s.must(); e.data != `{"jsonrpc":"2.0","id":1,"result":{"n":1000}}` {
		t.Fatalf("%+v", e)
	}
	s.end()
}
