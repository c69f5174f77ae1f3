package front

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// atAddress makes a request look as if it had come to an address.
func atAddress(r *http.Request, at net.Addr) *http.Request {
	return r.WithContext(contextWith(r.Context(), http.LocalAddrContextKey, at))
}

func TestHost(t *testing.T) {
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000}
	six := &net.TCPAddr{IP: net.IPv6loopback, Port: 8000}
	lan := &net.TCPAddr{IP: net.IPv4(192, 168, 1, 5), Port: 8000}
	g := &guard{hosts: lower([]string{"Relay.example", "proxy.example:9000"})}
	for _, tt := range []struct {
		at   net.Addr
		host string
		tls  bool
		want bool
	}{
		{loop, "127.0.0.1:8000", false, true}, {loop, "localhost:8000", false, true}, {loop, "LOCALHOST:8000", false, true},
		{loop, "[::1]:8000", false, true}, {six, "[::1]:8000", false, true}, {loop, "127.0.0.2:8000", false, true},
		{loop, "127.0.0.1:8001", false, false}, {loop, "127.0.0.1", false, false}, {loop, "localhost", false, false},
		{loop, "", false, false}, {loop, ":8000", false, false}, {loop, "evil.example", false, false},
		{loop, "evil.example:8000", false, false}, {loop, "localhost.evil.example:8000", false, false},
		{loop, "evil.localhost:8000", false, false}, {loop, "localhost.:8000", false, false}, {loop, "127.0.0.1.evil.example:8000", false, false},
		{loop, "0.0.0.0:8000", false, false}, {loop, "[::]:8000", false, false}, {loop, "192.168.1.5:8000", false, false},
		{loop, "2130706433:8000", false, false}, {loop, "127.1:8000", false, false}, {loop, "[::ffff:127.0.0.1]:8000", false, true},
		{loop, "[::1%eth0]:8000", false, true}, {loop, "::1:8000", false, true}, {loop, "localhost:08000", false, false},
		{loop, "evil.example@127.0.0.1:8000", false, false}, {loop, "127.0.0.1:8000@evil.example", false, false},
		{lan, "192.168.1.5:8000", false, true}, {lan, "192.168.1.6:8000", false, false}, {lan, "evil.example:8000", false, false},
		{loop, "relay.example", false, true}, {loop, "RELAY.EXAMPLE:1", false, true}, {loop, "relay.example.evil:1", false, false},
		{loop, "proxy.example:9000", false, true}, {loop, "proxy.example", false, false}, {loop, "proxy.example:9001", false, false},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, "localhost", false, true},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, "localhost", true, true},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, "localhost", false, false},
		{&net.UnixAddr{Name: "x", Net: "unix"}, "anything", false, true}, {nil, "localhost:8000", false, false},
	} {
		r := httptest.NewRequest("GET", "/mcp", http.NoBody)
		r.Host = tt.host
		if tt.at != nil {
			r = atAddress(r, tt.at)
		}
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := g.host(r); got != tt.want {
			t.Errorf("%v %q: %v", tt.at, tt.host, got)
		}
	}
}

func TestOriginAndSite(t *testing.T) {
	g := &guard{origins: lower([]string{"https://App.example"})}
	for _, tt := range []struct {
		origin string
		tls    bool
		want   bool
	}{
		{"http://localhost:8000", false, true}, {"HTTP://LOCALHOST:8000", false, true}, {"https://localhost:8000", false, false},
		{"https://localhost:8000", true, true}, {"http://localhost:8000", true, false}, {"http://localhost", false, false},
		{"http://127.0.0.1:8000", false, false}, {"http://evil.example", false, false}, {"null", false, false}, {"", false, false},
		{"https://app.example", false, true}, {"https://app.example:443", false, false}, {"https://app.example.evil", false, false},
		{"http://localhost:8000/", false, false}, {"http://u@localhost:8000", false, false}, {"file://", false, false},
		{"http://localhost:8000 http://evil.example", false, false}, {"://", false, false},
	} {
		r := httptest.NewRequest("GET", "/mcp", http.NoBody)
		r.Host = "localhost:8000"
		r.Header["Origin"] = []string{tt.origin}
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := g.origin(r); got != tt.want {
			t.Errorf("%q %v: %v", tt.origin, tt.tls, got)
		}
		r.Header["Origin"] = []string{tt.origin, tt.origin}
		if g.origin(r) {
			t.Errorf("two origins %q", tt.origin)
		}
	}
	for want, values := range map[bool][][]string{
		true:  {nil, {"none"}, {"same-origin"}},
		false: {{"cross-site"}, {"same-site"}, {""}, {"None"}, {"none", "cross-site"}, {"none, cross-site"}},
	} {
		for _, v := range values {
			if sameSite(v) != want {
				t.Errorf("%q", v)
			}
		}
	}
}

// What a page could send is refused at every path and method, before anything
// is done, and no answer lets a page read it.
func TestHostileRequests(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.Tokens = names{"t": "a"} })
	id, g := p.initialize("Authorization", "Bearer t")
	attacks := [][]string{
		{"Host", "evil.example"}, {"Origin", "http://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"}, {"Host", "evil.example", "Origin", "http://evil.example"},
	}
	for _, attack := range attacks {
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT"} {
			for _, path := range []string{"/mcp", "/sse", "/messages?sessionId=" + id, "/"} {
				headers := append([]string{"Authorization", "Bearer t", sessionHeader, id}, attack...)
				a := p.do(method, path, legacyCall("1", "echo"), headers...)
				if a.status != http.StatusForbidden {
					t.Errorf("%s %s %q: %d", method, path, attack, a.status)
				}
				for name := range a.header {
					if strings.HasPrefix(name, "Access-Control") || strings.HasPrefix(name, "Mcp") {
						t.Errorf("%s %s %q: header %s", method, path, attack, name)
					}
				}
				if strings.Contains(a.body, "evil") {
					t.Errorf("the answer quotes the request: %q", a.body)
				}
			}
		}
	}
	if len(p.desk.clients) != 1 || len(g.got) != 0 || g.closes.Load() != 0 {
		t.Error("an attack reached the host")
	}
	if n := strings.Count(p.log.String(), "not a local request"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

func TestTokens(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.Tokens = names{"ta": "a"} })
	body, call := modernCall("1", "echo")
	var first answerOf
	for i, headers := range [][]string{
		nil, {"Authorization", "Bearer x"}, {"Authorization", "Bearer"}, {"Authorization", "Basic ta"}, {"Authorization", "ta"},
		{"Authorization", "Bearer ta", "Authorization", "Bearer ta"}, {"Authorization", "Bearer ta, Bearer ta"}, {"Authorization", "Bearer  "},
	} {
		a := p.do("POST", "/mcp?access_token=ta&token=ta", body, append(headers, call...)...)
		a.header.Del("Date")
		if i == 0 {
			first = a
		}
		if a.status != 401 || a.header.Get("WWW-Authenticate") != "Bearer" || a.body != first.body || len(a.header) != len(first.header) {
			t.Errorf("%q: %+v", headers, a)
		}
	}
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		if a := p.do("POST", "/mcp", body, append(call, "Authorization", scheme+" ta")...); a.status != 200 {
			t.Errorf("%s: %+v", scheme, a)
		}
		if g := p.desk.connected(); g.hello.Principal != "a" {
			t.Errorf("%+v", g.hello)
		}
	}
	if a := p.do("GET", "/.well-known/oauth-protected-resource", ""); a.status != 404 || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("an unknown path: %+v", a)
	}
	if strings.Contains(p.log.String(), "ta") && strings.Contains(p.log.String(), "Bearer") {
		t.Error("the log holds a token")
	}
}

// waning is a token that somebody has until it is taken away.
type waning struct{ over atomic.Bool }

func (w *waning) Verify(string) (string, bool) { return "a", !w.over.Load() }

// Nothing outlives its token for long, whether anything is said or not.
func TestTokenTakenAway(t *testing.T) {
	tokens := &waning{}
	p := serveHTTP(t, func(o *HandlerOptions, l *limits) { o.Tokens, l.silence = tokens, 20*time.Millisecond })
	id, g := p.initialize()
	bodies := []io.Reader{p.listen(id).resp.Body, p.open("GET", "/sse", "", "Accept", "text/event-stream").Body}
	p.desk.connected()
	body, headers := modernCall("1", "subscriptions/listen")
	bodies = append(bodies, p.open("POST", "/mcp", body, headers...).Body)
	subscriber := p.desk.connected()
	subscriber.next()
	calls := make(chan answerOf, 1)
	go func() {
		calls <- p.do("POST", "/mcp", legacyCall("1", "wait"), sessionHeader, id, "Accept", "", "Accept", "application/json")
	}()
	g.next()
	tokens.over.Store(true)
	busy := make(chan struct{})
	go func() { // never silent
		defer close(busy)
		for g.sink.Notify(none, n(0)) == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	for i, b := range bodies {
		if _, err := io.Copy(io.Discard, b); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if a := <-calls; a.status != http.StatusUnauthorized {
		t.Errorf("%+v", a)
	}
	subscriber.waitClosed()
	<-busy
}

func TestMedia(t *testing.T) {
	p := serveHTTP(t, nil)
	body, call := modernCall("1", "echo")
	for _, tt := range []struct {
		name, value string
		status      int
	}{
		{"Content-Type", "application/json", 200}, {"Content-Type", "Application/JSON; charset=UTF-8", 200},
		{"Content-Type", "application/json;charset=utf-8", 200}, {"Content-Type", " application/json ", 200},
		{"Content-Type", "text/plain", 415}, {"Content-Type", "application/json-seq", 415}, {"Content-Type", "", 415},
		{"Content-Type", "application/x-www-form-urlencoded", 415}, {"Content-Type", "text/plain; application/json", 415},
		{"Content-Encoding", "identity", 200}, {"Content-Encoding", "gzip", 415},
		{"Accept", "application/json", 200}, {"Accept", "text/event-stream", 200}, {"Accept", "*/*", 200}, {"Accept", "", 200},
		{"Accept", "Application/*", 200}, {"Accept", "text/*;q=0.1", 200}, {"Accept", "text/html, Application/JSON;q=0.5", 200},
		{"Accept", "text/html", 406}, {"Accept", "application/json;q=0", 406}, {"Accept", "*/*; q=0.0", 406}, {"Accept", "text/plain", 406},
	} {
		headers := append([]string{tt.name, ""}, call...)
		if tt.value != "" {
			headers = append(headers, tt.name, tt.value)
		}
		a := p.do("POST", "/mcp", body, headers...)
		if a.status != tt.status {
			t.Errorf("%s %q: %d", tt.name, tt.value, a.status)
		}
		want := "application/json"
		if tt.value == "text/event-stream" || strings.HasPrefix(tt.value, "text/*") {
			want = "text/event-stream"
		}
		if a.status == 200 && a.header.Get("Content-Type") != want {
			t.Errorf("%s %q: %s", tt.name, tt.value, a.header.Get("Content-Type"))
		}
	}
	id, _ := p.initialize()
	for accept, status := range map[string]int{"application/json": 406, "text/html": 406} {
		if a := p.do("GET", "/mcp", "", sessionHeader, id, "Accept", accept); a.status != status {
			t.Errorf("GET %q: %d", accept, a.status)
		}
		if a := p.do("GET", "/sse", "", "Accept", accept); a.status != status {
			t.Errorf("GET /sse %q: %d", accept, a.status)
		}
	}
	listen, headers := modernCall("1", "subscriptions/listen")
	if a := p.do("POST", "/mcp", listen, append(headers, "Accept", "", "Accept", "application/json")...); a.status != 406 {
		t.Errorf("listening without a stream: %+v", a)
	}
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"} {
		if a := p.do(method, "/mcp", ""); a.status != 405 || a.header.Get("Allow") == "" {
			t.Errorf("%s: %+v", method, a)
		}
	}
}

func TestBodies(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.MaxMessage = 3 << 20 })
	_, call := modernCall("1", "echo")
	long := func(n int) string {
		body, _ := modernCall("1", "echo")
		return strings.Replace(body, `"params":{`, `"params":{"x":"`+strings.Repeat("x", n)+`",`, 1)
	}
	for _, tt := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"empty", "", 415, ""}, {"blank", " ", 400, "-32700"}, {"cut", `{"jsonrpc":"2.0","id":1,`, 400, "-32700"},
		{"text", "hello", 400, "-32700"}, {"batch", "[]", 400, "-32600"}, {"no message", "{}", 400, "-32600"},
		{"twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"echo"}`, 400, "-32600"},
		{"case", `{"jsonrpc":"2.0","id":1,"method":"echo","Method":"x"}`, 400, "-32600"},
		{"two", legacyCall("1", "echo") + legacyCall("2", "echo"), 400, "-32700"},
		{"not UTF-8", `{"jsonrpc":"2.0","id":1,"method":"echo","params":{"x":"` + "\xff" + `"}}`, 400, "-32600"},
		{"pretty", strings.ReplaceAll(long(1), ",", ",\r\n"), 200, ""},
		{"long", long(2 << 20), 200, ""}, {"too long", long(3 << 20), 413, ""},
	} {
		for _, chunked := range []bool{false, true} {
			r := p.request("POST", "/mcp", tt.body, call...)
			if chunked && tt.body != "" {
				r.ContentLength = -1
			}
			resp, err := p.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text := make([]byte, 1000)
			n, _ := resp.Body.Read(text)
			_ = resp.Body.Close()
			if resp.StatusCode != tt.status || !strings.Contains(string(text[:n]), tt.code) {
				t.Errorf("%s %v: %d %s", tt.name, chunked, resp.StatusCode, text[:n])
			}
			if strings.Contains(string(text[:n]), "hello") {
				t.Error("the answer quotes the request")
			}
		}
	}
	if a := p.do("POST", "/mcp", "", "Content-Type", "application/json"); a.status != 400 {
		t.Errorf("an empty body: %+v", a)
	}
}

// No header of a client reaches the host but those that mirror parameters.
func TestHelloHoldsNothingElse(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.Tokens = names{"secret-token": "a"} })
	body, call := modernCall("1", "echo")
	p.do("POST", "/mcp", body, append(call, "Authorization", "Bearer secret-token", "Cookie", "c=1", "X-Secret", "s",
		"Mcp-Param-Region", "=?base64?SGVsbG8=?=", "mcp-param-two", "plain")...)
	g := p.desk.connected()
	if len(g.hello.Mirrored) != 2 || g.hello.Mirrored["region"] != "Hello" || g.hello.Mirrored["two"] != "plain" {
		t.Errorf("%+v", g.hello)
	}
}
