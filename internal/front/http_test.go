package front

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// desk is a host whose clients do what their requests' methods say.
type desk struct {
	most   int // clients at a time; 0: any number
	t      testing.TB
	refuse error // what Connect returns
	// failing: handshakes are answered with an error.
	failing atomic.Bool
	drain   func(ctx context.Context, g *guest) error // nil: nothing waits for an answer

	mu      sync.Mutex
	clients []*guest
	arrived chan *guest
}

// guest is a client of desk.
type guest struct {
	desk  *desk
	hello peer.Hello
	sink  peer.Sink
	ctx   context.Context

	got    chan jsonrpc.Message // what the script does not know
	closed chan struct{}
	closes atomic.Int32
}

func newDesk(t testing.TB) *desk { return &desk{t: t, arrived: make(chan *guest, 1000)} }

func (d *desk) Connect(ctx context.Context, hello peer.Hello, sink peer.Sink) (Client, error) {
	if d.refuse != nil {
		return nil, d.refuse
	}
	if d.most > 0 && d.present() >= d.most {
		return nil, peer.ErrTooMany
	}
	g := &guest{desk: d, hello: hello, sink: sink, ctx: ctx, got: make(chan jsonrpc.Message, 100), closed: make(chan struct{})}
	d.mu.Lock()
	d.clients = append(d.clients, g)
	d.mu.Unlock()
	d.arrived <- g
	return g, nil
}

// present returns how many clients there are.
func (d *desk) present() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, g := range d.clients {
		if g.closes.Load() == 0 {
			n++
		}
	}
	return n
}

func (*desk) Refusal(code int, text string) peer.Cleared {
	return peer.Clear(peer.Error, "", fmt.Appendf(nil, `{"code":%d,"message":%q}`, code, text))
}

func (g *guest) Malformed(jsonrpc.ID, error) {
	g.desk.t.Error("HTTP answers malformed messages itself")
}

func (g *guest) Drain(ctx context.Context) error {
	if g.desk.drain == nil {
		return nil
	}
	return g.desk.drain(ctx, g)
}

func (g *guest) Close() {
	if g.closes.Add(1) == 1 {
		close(g.closed)
	}
}

func result(body string) peer.Cleared { return peer.Clear(peer.Result, "m", []byte(body)) }

func failure(code int) peer.Cleared {
	return peer.Clear(peer.Error, "m", fmt.Appendf(nil, `{"code":%d,"message":"no"}`, code))
}

func note(method, params string) peer.Cleared { return peer.Clear(peer.Params, method, []byte(params)) }

// Message answers what the method asks for; everything else goes to got.
func (g *guest) Message(m jsonrpc.Message) {
	name, arg, _ := strings.Cut(m.Method, "/")
	switch name {
	case "initialize":
		if g.desk.failing.Load() {
			g.try(g.sink.Respond(m.ID, failure(-32602)))
			return
		}
		g.try(g.sink.Respond(m.ID, result(`{"protocolVersion":"2025-11-25"}`)))
	case "echo":
		g.try(g.sink.Respond(m.ID, result(fmt.Sprintf(`{"method":%q,"session":%q}`, m.Method, g.hello.Session))))
	case "later":
		go func() { g.try(g.sink.Respond(m.ID, result(`{"late":true}`))) }()
	case "fail":
		var code int
		_, _ = fmt.Sscan(arg, &code)
		g.try(g.sink.Respond(m.ID, failure(code)))
	case "count":
		var n int
		_, _ = fmt.Sscan(arg, &n)
		for i := range n {
			g.try(g.sink.Notify(m.ID, note("n", fmt.Sprintf(`{"i":%d}`, i))))
		}
		g.try(g.sink.Respond(m.ID, result(fmt.Sprintf(`{"n":%d}`, n))))
	default:
		g.got <- m
	}
}

func (g *guest) try(err error) {
	if err != nil {
		g.desk.t.Errorf("the sink refused: %v", err)
	}
}

// next returns the next message that the script does not know.
func (g *guest) next() jsonrpc.Message {
	g.desk.t.Helper()
	select {
	case m := <-g.got:
		return m
	case <-time.After(10 * time.Second):
		g.desk.t.Fatal("no message came")
		return jsonrpc.Message{}
	}
}

func (g *guest) waitClosed() {
	g.desk.t.Helper()
	select {
	case <-g.closed:
	case <-time.After(10 * time.Second):
		g.desk.t.Fatal("the client was not closed")
	}
}

// connected returns the client that connected next.
func (d *desk) connected() *guest {
	d.t.Helper()
	select {
	case g := <-d.arrived:
		return g
	case <-time.After(10 * time.Second):
		d.t.Fatal("no client connected")
		return nil
	}
}

// place is a server for tests.
type place struct {
	t       testing.TB
	desk    *desk
	handler *Handler
	server  *Server
	url     string
	client  *http.Client
	log     *logBuffer
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func serveHTTP(t testing.TB, change func(*HandlerOptions, *limits)) *place {
	t.Helper()
	p := &place{t: t, desk: newDesk(t), log: &logBuffer{}}
	o := HandlerOptions{
		Host: p.desk, MaxMessage: 1 << 20, Shape: protocol.Message(),
		Log: slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	l := defaultLimits
	if change != nil {
		change(&o, &l)
	}
	p.handler = NewHandler(o)
	p.handler.limits = l
	server, err := NewServer(p.handler, ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.server = server
	listener, err := ListenTCP(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	p.url = "http://" + listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	transport := &http.Transport{DisableCompression: true}
	p.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// answer is a response that was read to its end.
type answerOf struct {
	status int
	header http.Header
	body   string
}

// headers of requests: name, value, name, value.
func (p *place) request(method, path, body string, headers ...string) *http.Request {
	p.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, in)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			r.Host = headers[i+1]
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		default:
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	return r
}

func (p *place) open(method, path, body string, headers ...string) *http.Response {
	p.t.Helper()
	resp, err := p.client.Do(p.request(method, path, body, headers...))
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

func (p *place) do(method, path, body string, headers ...string) answerOf {
	p.t.Helper()
	resp := p.open(method, path, body, headers...)
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answerOf{status: resp.StatusCode, header: resp.Header, body: string(got)}
}

// modernCall is a request of the modern era with its headers.
func modernCall(id, method string) (body string, headers []string) {
	body = `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientCapabilities":{}}}}`
	return body, []string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", method}
}

func legacyCall(id, method string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `"}`
}

// initialize starts a legacy session.
func (p *place) initialize(headers ...string) (session string, g *guest) {
	p.t.Helper()
	a := p.do("POST", "/mcp", legacyCall("0", "initialize"), headers...)
	session = a.header.Get("Mcp-Session-Id")
	if a.status != http.StatusOK || session == "" || a.body != `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}` {
		p.t.Fatalf("initialize: %+v", a)
	}
	return session, p.desk.connected()
}

// event is one server-sent event.
type sse struct{ id, name, data string }

// stream reads events from a response.
type sseReader struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Reader
}

func (p *place) stream(resp *http.Response) *sseReader {
	p.t.Helper()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		p.t.Fatalf("not a stream: %d %s", resp.StatusCode, got)
	}
	p.t.Cleanup(func() { _ = resp.Body.Close() })
	return &sseReader{t: p.t, resp: resp, in: bufio.NewReader(resp.Body)}
}

// next returns the next event; comments are events without data here.
func (s *sseReader) next() (sse, error) {
	var e sse
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			return e, nil
		case strings.HasPrefix(line, "id: "):
			e.id = line[4:]
		case strings.HasPrefix(line, "event: "):
			e.name = line[7:]
		case strings.HasPrefix(line, "data: "):
			if e.data != "" {
				s.t.Error("an event has two lines of data")
			}
			e.data = line[6:]
		case line == ":":
			e.name = "comment"
		case strings.HasPrefix(line, "retry: "):
		default:
			s.t.Errorf("not a line of an event: %q", line)
		}
	}
}

func (s *sseReader) must() sse {
	s.t.Helper()
	e, err := s.next()
	if err != nil {
		s.t.Fatalf("the stream ended: %v", err)
	}
	return e
}

func (s *sseReader) end() {
	s.t.Helper()
	if e, err := s.next(); !errors.Is(err, io.EOF) {
		s.t.Errorf("after the end: %+v, %v", e, err)
	}
}

var _ net.Listener = (*slotListener)(nil)

func quietTo(log *logBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(log, nil)) }
