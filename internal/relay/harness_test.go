package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// fakeServer is a server without a process: every connection to it shares its
// tools and counts what it is sent.
type fakeServer struct {
	mu       sync.Mutex
	tools    []string // names; a definition is {"name":...,"v":version}
	version  int
	dialErr  error
	slow     chan struct{} // when set, listing waits for it
	received []string      // "method params" of every request but the handshake, and of every notification
	speech   Speech        // zero: legacy
	onCall   func(c *fakeConn, call *fakeCall)
	onHello  func(c *fakeConn) // runs when the server is greeted
	onReady  func(c *fakeConn) // runs when the server is told that the handshake is over
	answers  map[string]string // whole results by method, instead of the usual ones
	conns    []*fakeConn
}

type fakeConn struct {
	server *fakeServer
	h      peer.Handler
	done   chan struct{}
	once   sync.Once
	nextID int64
}

type fakeCall struct {
	id     jsonrpc.ID
	params string
	once   sync.Once
	by     peer.Caller
}

func (c *fakeCall) ID() jsonrpc.ID            { return c.id }
func (c *fakeCall) Abandon(err error)         { c.reply(peer.Reply{Err: err}) }
func (c *fakeCall) reply(reply peer.Reply)    { c.once.Do(func() { c.by.Answered(reply) }) }
func (c *fakeCall) result(result string)      { c.reply(peer.Reply{Result: []byte(result)}) }
func (f *fakeServer) dialer() Dialer          { return DialFunc(f.dial) }
func (c *fakeConn) SetProtocolVersion(string) {}
func (c *fakeConn) Done() <-chan struct{}     { return c.done }
func (c *fakeConn) Err() error                { return errors.New("server ended") }
func (c *fakeConn) Close(time.Duration)       { c.die() }
func (c *fakeConn) die()                      { c.once.Do(func() { close(c.done) }) }

func (f *fakeServer) dial(_ context.Context, h peer.Handler) (Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dialErr != nil {
		return nil, f.dialErr
	}
	c := &fakeConn{server: f, h: h, done: make(chan struct{})}
	f.conns = append(f.conns, c)
	return c, nil
}

func (f *fakeServer) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeServer) conn(i int) *fakeConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns[i]
}

func (f *fakeServer) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.received...)
}

func (c *fakeConn) Call(cl peer.Cleared, by peer.Caller) peer.Call {
	f := c.server
	f.mu.Lock()
	c.nextID++
	call := &fakeCall{id: jsonrpc.IntID(c.nextID), params: string(cl.Body()), by: by}
	slow, onCall := f.slow, f.onCall
	tools := make([]string, 0, len(f.tools))
	for _, name := range f.tools {
		tools = append(tools, fmt.Sprintf(`{"name":%q,"v":%d}`, name, f.version))
	}
	if cl.Method() != protocol.Initialize && cl.Method() != protocol.ToolsList {
		f.received = append(f.received, cl.Method()+" "+string(cl.Body()))
	}
	answer, fixed := f.answers[cl.Method()]
	f.mu.Unlock()
	if cl.Method() == protocol.Initialize && f.onHello != nil {
		f.onHello(c)
	}
	if fixed {
		go call.result(answer)
		return call
	}
	switch cl.Method() {
	case protocol.Initialize:
		go call.result(`{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{},"extensions":{"acme/x":{}}},"serverInfo":{"name":"f","version":"1"}}`)
	case protocol.ToolsList:
		go func() {
			if slow != nil {
				<-slow
			}
			call.result(`{"tools":[` + strings.Join(tools, ",") + `]}`)
		}()
	default:
		if onCall != nil {
			onCall(c, call)
		} else {
			go call.result(`{"content":[],"echo":` + call.params + `}`)
		}
	}
	return call
}

func (c *fakeConn) Notify(cl peer.Cleared) error {
	if cl.Method() == protocol.Initialized && c.server.onReady != nil {
		c.server.onReady(c)
	}
	c.server.set(func() {
		if cl.Method() != protocol.Initialized {
			c.server.received = append(c.server.received, cl.Method()+" "+string(cl.Body()))
		}
	})
	return nil
}

func (c *fakeConn) Answer(id jsonrpc.ID, cl peer.Cleared) error {
	c.server.set(func() { c.server.received = append(c.server.received, "answer "+id.Raw()+" "+string(cl.Body())) })
	return nil
}

func (c *fakeConn) says(t *testing.T, frame string) {
	t.Helper()
	m, err := jsonrpc.Parse([]byte(frame), protocol.Message())
	if err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	if m.Kind() == jsonrpc.Request {
		c.h.Request(m)
		return
	}
	c.h.Notification(m)
}

// sink keeps the frames that a client gets.
type sink struct {
	mu     sync.Mutex
	frames []string
}

func (s *sink) add(frame []byte, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.frames = append(s.frames, string(frame))
	}
	return err
}

func (s *sink) Respond(id jsonrpc.ID, c peer.Cleared) error {
	return s.add(peer.AppendResponse(nil, id, c))
}
func (s *sink) Notify(_ jsonrpc.ID, c peer.Cleared) error {
	return s.add(peer.AppendRequest(nil, jsonrpc.ID{}, c))
}

func (s *sink) Request(id, _ jsonrpc.ID, c peer.Cleared) error {
	return s.add(peer.AppendRequest(nil, id, c))
}

func (s *sink) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames := s.frames
	s.frames = nil
	return frames
}

type rig struct {
	t      *testing.T
	relay  *Relay
	client *Client
	sink   *sink
	judge  *judge
	audit  *auditRecords
	// everything is what ask has returned so far.
	everything []string
}

type auditRecords struct {
	mu  sync.Mutex
	all []audit.Record
}

func (a *auditRecords) Write(r *audit.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, *r)
	return nil
}

func (a *auditRecords) anomalies() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var words []string
	for i := range a.all {
		if a.all[i].Event == audit.Anomaly {
			words = append(words, a.all[i].Reason)
		}
	}
	return words
}

// start runs a relay in front of servers named s0, s1, ... inside a synctest
// bubble and ends it with the test.
func start(t *testing.T, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	return startJudged(t, &judge{}, change, servers...)
}

// startJudged is start with a scanner of the test's own.
func startJudged(t *testing.T, j *judge, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	r := prepare(t, j, change, servers...)
	r.relay.Start(t.Context())
	return r
}

// prepare is startJudged without the start.
func prepare(t *testing.T, j *judge, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	r := &rig{t: t, sink: &sink{}, judge: j, audit: &auditRecords{}}
	log := slog.New(slog.DiscardHandler)
	covers := func(string, verdict.Phase) bool { return true }
	gate := scan.New([]scan.Member{{Scanner: r.judge, Policy: scan.Policy{Name: "j", Covers: covers}}}, nil, r.audit, log)
	opts := Options{Version: "1", MaxName: 50, MaxTools: 100, StartTimeout: 10 * time.Second, CallTimeout: time.Minute, Gate: gate, Audit: r.audit, Log: log}
	for i, s := range servers {
		opts.Servers = append(opts.Servers, Server{Name: fmt.Sprintf("s%d", i), Dialer: s.dialer(), Speech: cmp.Or(s.speech, OnlyLegacy), MayAsk: protocol.AllCapabilities})
	}
	if change != nil {
		change(&opts)
	}
	r.relay = New(opts)
	ctx, cancel := context.WithCancel(t.Context())
	r.client = r.relay.Connect(ctx, peer.Hello{Session: "sess", Principal: "local"}, r.sink)
	t.Cleanup(func() {
		r.client.Close()
		r.relay.Close()
		gate.Close()
		cancel()
	})
	return r
}

func (r *rig) send(frame string) {
	r.t.Helper()
	m, err := jsonrpc.Parse([]byte(frame), protocol.Message())
	if err != nil {
		r.client.Malformed(m.ID, err)
		return
	}
	r.client.Message(m)
}

// ask sends a frame, lets everything come to rest and returns what the client
// got since.
func (r *rig) ask(frame string) []string {
	r.t.Helper()
	synctest.Wait()
	r.sink.take()
	r.send(frame)
	synctest.Wait()
	got := r.sink.take()
	r.everything = append(r.everything, got...)
	return got
}

func (r *rig) want(frame string, want ...string) {
	r.t.Helper()
	got := r.ask(frame)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		r.t.Errorf("%s\n got %s\nwant %s", frame, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// wantPart checks that there is one answer and that it holds each part.
func (r *rig) wantPart(frame string, parts ...string) {
	r.t.Helper()
	got := r.ask(frame)
	if len(got) != 1 {
		r.t.Errorf("%s: got %d frames: %s", frame, len(got), got)
		return
	}
	for _, part := range parts {
		if !strings.Contains(got[0], part) {
			r.t.Errorf("%s: %s lacks %s", frame, got[0], part)
		}
	}
}
