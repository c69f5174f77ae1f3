package front

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func contextWith(ctx context.Context, key, value any) context.Context {
	return context.WithValue(ctx, key, value)
}

// raw opens a connection and writes bytes to it.
func (p *place) raw(text string) net.Conn {
	p.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		p.t.Fatal(err)
	}
	return c
}

// Who sends a request drop by drop does not keep its connection.
func TestSlowRequestsEnd(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.headers, l.request = 300*time.Millisecond, 500*time.Millisecond })
	host := "Host: " + strings.TrimPrefix(p.url, "http://") + "\r\n"
	post := "POST /mcp HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 100\r\n"
	for name, text := range map[string]string{
		"headers": "POST /mcp HTTP/1.1\r\nX", "body": post + "\r\n{", "refused body": post + "Sec-Fetch-Site: cross-site\r\n\r\n{",
	} {
		c := p.raw(text)
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%s: the connection stays: %v", name, err)
		}
	}
	c := p.raw(post + "\r\n{")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%v %v", resp, err)
	}
	// The deadline is not for what comes after the body.
	id, g := p.initialize()
	s := p.listen(id)
	time.Sleep(700 * time.Millisecond)
	g.try(g.sink.Notify(none, n(0)))
	if !isN(s.must(), 0) {
		t.Error("nothing came")
	}
}

// Who is not let in does not keep a connection, and learns nothing.
func TestTurnedAway(t *testing.T) {
	p := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.Tokens = names{"t": "a"} })
	host := "Host: " + strings.TrimPrefix(p.url, "http://") + "\r\n"
	for name, tt := range map[string]struct {
		text   string
		status int
	}{
		"no token":          {"GET /mcp HTTP/1.1\r\n" + host + "\r\n", 401},
		"no token, no body": {"POST /mcp HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n", 401},
		"another host":      {"GET /mcp HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
		"the server itself": {"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
	} {
		c := p.raw(tt.text)
		in := bufio.NewReader(c)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s: %+v %v", name, resp, err)
			continue
		}
		_ = resp.Body.Close()
		if _, err := io.ReadAll(in); err != nil {
			t.Errorf("%s: the connection stays: %v", name, err)
		}
	}
}

func TestLongHeaders(t *testing.T) {
	p := serveHTTP(t, nil)
	c := p.raw("GET /mcp HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", headerLimit+4096))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%+v %v", resp, err)
	}
}

// Nobody serves the whole network without asking who it is.
func TestPublicNeedsTokens(t *testing.T) {
	for _, tokens := range []Verifier{nil, names{"t": "a"}} {
		h := NewHandler(HandlerOptions{Host: newDesk(t), Log: quietTo(&logBuffer{}), Tokens: tokens})
		server, err := NewServer(h, ServerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		inner, err := ListenTCP(t.Context(), "127.0.0.1:0", false)
		if err != nil {
			t.Fatal(err)
		}
		if tokens != nil {
			if err := server.Shutdown(t.Context()); err != nil { // it must get as far as serving
				t.Error(err)
			}
		}
		if err := server.Serve(wide{inner}); errors.Is(err, ErrPublic) != (tokens == nil) {
			t.Errorf("%v: %v", tokens, err)
		}
		if _, err := inner.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener stays open: %v", err)
		}
	}
}

// wide is a listener that says it listens on every address.
type wide struct{ net.Listener }

func (wide) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 1} }

// Streams end at once, subscriptions after their last message; requests get
// their time, and what they wait for; nothing new is taken.
func TestShutdown(t *testing.T) {
	p := serveHTTP(t, nil)
	answered := make(chan struct{})
	p.desk.drain = func(ctx context.Context, g *guest) error {
		switch {
		case g.hello.Stateless:
			g.try(g.sink.Respond(jsonrpc.IntID(1), result(`{"last":true}`)))
			return nil
		default:
			select {
			case <-answered:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	id, g := p.initialize()
	listening := p.listen(id)
	old := p.stream(p.open("GET", "/sse", "", "Accept", "text/event-stream"))
	at := old.must().data
	oldGuest := p.desk.connected()
	body, headers := modernCall("1", "subscriptions/listen")
	answers := make(chan *http.Response, 2)
	go func() { answers <- p.open("POST", "/mcp", body, headers...) }()
	subscriber := p.desk.connected()
	m := subscriber.next()
	subscriber.try(subscriber.sink.Notify(m.ID, note("notifications/subscriptions/acknowledged", "{}")))
	subscription := p.stream(<-answers)
	subscription.must()
	flying := make(chan answerOf)
	go func() { flying <- p.do("POST", "/mcp", legacyCall("1", "wait"), sessionHeader, id) }()
	m = g.next()
	if a := p.do("POST", at, legacyCall("1", "wait")); a.status != http.StatusAccepted {
		t.Fatalf("%+v", a)
	}
	oldCall := oldGuest.next()

	done := make(chan error)
	go func() { done <- p.server.Shutdown(t.Context()) }()
	listening.end()
	if e := subscription.must(); !strings.Contains(e.data, `"last":true`) {
		t.Errorf("%+v", e)
	}
	subscription.end()
	subscriber.waitClosed()
	body, headers = modernCall("1", "echo")
	for _, refused := range []answerOf{
		p.do("POST", "/mcp", legacyCall("2", "echo"), sessionHeader, id),
		p.do("POST", "/mcp", legacyCall("2", "initialize")),
		p.do("POST", "/mcp", body, headers...),
		p.do("POST", at, legacyCall("2", "echo")),
		p.do("GET", "/mcp", "", sessionHeader, id, "Accept", "text/event-stream"),
		p.do("GET", "/sse", "", "Accept", "text/event-stream"),
	} {
		if refused.status != http.StatusServiceUnavailable {
			t.Errorf("something new was taken: %+v", refused)
		}
	}
	// A request may wait for what its client says.
	for _, place := range []string{"/mcp", at} {
		if a := p.do("POST", place, `{"jsonrpc":"2.0","id":"q","result":{}}`, sessionHeader, id); a.status != http.StatusAccepted {
			t.Errorf("an answer was refused: %+v", a)
		}
	}
	for _, asked := range []*guest{g, oldGuest} {
		if said := asked.next(); said.Kind() != jsonrpc.Response {
			t.Errorf("the answer did not come: %+v", said)
		}
	}
	g.try(g.sink.Respond(m.ID, result("{}")))
	if a := <-flying; a.status != 200 {
		t.Errorf("%+v", a)
	}
	oldGuest.try(oldGuest.sink.Respond(oldCall.ID, result("{}")))
	if e := old.must(); !strings.Contains(e.data, `"result":{}`) {
		t.Errorf("%+v", e)
	}
	select {
	case err := <-done:
		t.Fatalf("requests in flight were not waited for: %v", err)
	default:
	}
	close(answered)
	old.end()
	oldGuest.waitClosed()
	if err := <-done; err != nil {
		t.Error(err)
	}
	g.waitClosed()
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	p := serveHTTP(t, nil)
	body, headers := modernCall("1", "wait")
	go func() {
		resp, err := p.client.Do(p.request("POST", "/mcp", body, headers...))
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	g := p.desk.connected()
	g.next()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	g.waitClosed()
}

func TestListenTCP(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "relay.example:0"} {
		if l, err := ListenTCP(t.Context(), address, false); !errors.Is(err, ErrPublic) {
			t.Errorf("%s: %v %v", address, l, err)
		}
		if Loopback(address) {
			t.Errorf("%s is no loopback address", address)
		}
	}
	for _, address := range []string{"", "8000", "127.0.0.1", "127.0.0.1:x"} {
		if l, err := ListenTCP(t.Context(), address, true); err == nil {
			t.Errorf("%q: %v", address, l.Addr())
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := ListenTCP(t.Context(), address, false)
		if err != nil || !Loopback(address) {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_ = l.Close()
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	inner, err := ListenTCP(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	l := &slotListener{Listener: inner, slots: make(chan struct{}, 1), done: make(chan struct{})}
	accepted := make(chan net.Conn)
	ended := make(chan error)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Error("one too many")
	case <-time.After(50 * time.Millisecond):
	}
	_ = first.Close()
	_ = first.Close()
	second := <-accepted
	_ = l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	_ = second.Close()
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := ServerOptions{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	write := func(path, kind string, der []byte) {
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(o.CertFile, "CERTIFICATE", cert)
	if _, err := NewServer(NewHandler(HandlerOptions{Host: newDesk(t), Log: quietTo(&logBuffer{})}), o); err == nil {
		t.Error("a certificate without a key was taken")
	}
	write(o.KeyFile, "PRIVATE KEY", private)

	desk := newDesk(t)
	server, err := NewServer(NewHandler(HandlerOptions{Host: desk, Log: quietTo(&logBuffer{}), MaxMessage: 1000}), o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ListenTCP(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	call := func(highest uint16) (*http.Response, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: highest}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		body, headers := modernCall("1", "echo")
		r, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+l.Addr().String()+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "https://"+l.Addr().String())
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		resp, err := (&http.Client{Transport: transport}).Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		return resp, err
	}
	if resp, err := call(0); err != nil || resp.StatusCode != 200 || resp.ProtoMajor != 1 {
		t.Errorf("%+v %v", resp, err)
	}
	if _, err := call(tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 was taken")
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
