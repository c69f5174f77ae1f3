package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// fakeServer is a server without a process: every connection to it shares its
// tools and counts what it is sent. It speaks the legacy era, unless modern.
type fakeServer struct {
	mu       sync.Mutex
	modern   bool
	tools    []string // names; a definition is {"name":...,"v":version}
	version  int
	dialErr  error
	slow     chan struct{} // when set, listing waits for it
	received []string      // "method params" of every request but the handshake, and of every notification
	speech   Speech        // zero: as it speaks
	probed   bool          // the relay has to find out how it speaks
	onCall   func(c *fakeConn, call *fakeCall)
	onHello  func(c *fakeConn)                 // runs when the server is greeted
	onReady  func(c *fakeConn)                 // runs when the server is told that the handshake is over
	onProbe  func(c *fakeConn, call *fakeCall) // answers server/discover
	onAnswer func(c *fakeConn, id string)      // runs when the server's request was answered
	answers  map[string]string                 // whole results by method, instead of the usual ones
	conns    []*fakeConn
	listens  []*fakeCall // the subscriptions, in order
	// capabilities are those that it announces; empty: the usual ones.
	capabilities string
}

type fakeConn struct {
	server *fakeServer
	h      peer.Handler
	done   chan struct{}
	once   sync.Once
	nextID int64
	spoken []string // the revisions that it was told to speak
}

type fakeCall struct {
	conn   *fakeConn
	id     jsonrpc.ID
	method string
	params string
	once   sync.Once
	by     peer.Caller
	ended  bool // answered or abandoned; the server's lock guards it
}

func (c *fakeCall) ID() jsonrpc.ID        { return c.id }
func (c *fakeCall) Abandon(err error)     { c.reply(peer.Reply{Err: err}) }
func (c *fakeCall) result(result string)  { c.reply(peer.Reply{Result: []byte(result)}) }
func (c *fakeCall) fails(object string)   { c.reply(peer.Reply{Error: []byte(object)}) }
func (f *fakeServer) dialer() Dialer      { return DialFunc(f.dial) }
func (c *fakeConn) Done() <-chan struct{} { return c.done }
func (c *fakeConn) Err() error            { return errors.New("server ended") }
func (c *fakeConn) Close(time.Duration)   { c.die() }
func (c *fakeConn) die()                  { c.once.Do(func() { close(c.done) }) }
func (c *fakeConn) SetProtocolVersion(v string) {
	c.server.set(func() { c.spoken = append(c.spoken, v) })
}

func (c *fakeCall) reply(reply peer.Reply) {
	c.once.Do(func() {
		c.conn.server.set(func() { c.ended = true })
		c.by.Answered(reply)
	})
}

// says hands on what the server says on the stream of this call.
func (c *fakeCall) says(t *testing.T, frame string) {
	t.Helper()
	m, err := jsonrpc.Parse([]byte(frame), protocol.Message())
	if err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	if m.Kind() == jsonrpc.Request {
		c.by.Request(m)
		return
	}
	c.by.Notification(m)
}

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

// spoken returns how the relay is configured to speak to the server.
func (f *fakeServer) spoken() Speech {
	switch {
	case f.speech != Auto || f.probed:
		return f.speech
	case f.modern:
		return OnlyModern
	default:
		return OnlyLegacy
	}
}

// took returns what the server got since it was last asked.
func (f *fakeServer) took() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.received
	f.received = nil
	return got
}

// subscription returns the newest subscription and how many are open.
func (f *fakeServer) subscription() (newest *fakeCall, open int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.listens {
		if !l.ended {
			open++
		}
	}
	if len(f.listens) > 0 {
		newest = f.listens[len(f.listens)-1]
	}
	return newest, open
}

// quiet are the methods that the relay sends by itself, which received leaves
// out.
func quiet(method string) bool {
	switch method {
	case protocol.Initialize, protocol.ToolsList, protocol.Discover, protocol.Listen:
		return true
	default:
		return false
	}
}

func (c *fakeConn) Call(cl peer.Cleared, by peer.Caller) peer.Call {
	f := c.server
	f.mu.Lock()
	c.nextID++
	call := &fakeCall{conn: c, id: jsonrpc.IntID(c.nextID), method: cl.Method(), params: string(cl.Body()), by: by}
	slow, onCall, onProbe := f.slow, f.onCall, f.onProbe
	if !quiet(cl.Method()) {
		f.received = append(f.received, cl.Method()+" "+string(cl.Body()))
	}
	if f.modern && cl.Method() == protocol.Listen {
		f.listens = append(f.listens, call)
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
	case protocol.Discover:
		f.discover(c, call, onProbe)
	case protocol.Initialize:
		if f.isModern() {
			go call.fails(`{"code":-32601,"message":"method not found"}`)
			break
		}
		go call.result(`{"protocolVersion":"2025-11-25","capabilities":` + f.announced() + `,"serverInfo":{"name":"f","version":"1"}}`)
	case protocol.ToolsList:
		go func() {
			if slow != nil {
				<-slow
			}
			call.result(f.list())
		}()
	case protocol.Listen:
		go call.acknowledge()
	default:
		if onCall != nil {
			onCall(c, call)
		} else {
			go call.result(f.echo(call.params))
		}
	}
	return call
}

func (f *fakeServer) announced() string {
	if f.capabilities != "" {
		return f.capabilities
	}
	return `{"tools":{},"logging":{},"extensions":{"acme/x":{}}}`
}

func (f *fakeServer) discover(c *fakeConn, call *fakeCall, onProbe func(*fakeConn, *fakeCall)) {
	switch {
	case onProbe != nil:
		onProbe(c, call)
	case f.isModern():
		go call.result(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":` + f.announced() + `,"ttlMs":0,"cacheScope":"public"}`)
	default:
		go call.fails(`{"code":-32601,"message":"method not found"}`)
	}
}

func (f *fakeServer) list() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	tools := make([]string, 0, len(f.tools))
	for _, name := range f.tools {
		tools = append(tools, fmt.Sprintf(`{"name":%q,"v":%d}`, name, f.version))
	}
	body := `{"tools":[` + strings.Join(tools, ",") + `]`
	if f.modern {
		body += `,"resultType":"complete","ttlMs":31536000000,"cacheScope":"public"`
	}
	return body + "}"
}

func (f *fakeServer) echo(params string) string {
	body := `{"content":[],"echo":` + params
	if f.isModern() {
		body += `,"resultType":"complete"`
	}
	return body + "}"
}

// acknowledge answers a subscription as a modern server does.
func (c *fakeCall) acknowledge() {
	filter, _ := protocol.FilterOf([]byte(c.params))
	params := append(filter.Append([]byte(`{"notifications":`)), '}')
	m, err := jsonrpc.Parse([]byte(`{"jsonrpc":"2.0","method":"`+protocol.Acknowledged+`","params":`+
		string(protocol.SetSubscriptionID(params, c.id))+`}`), protocol.Message())
	if err != nil {
		panic(err)
	}
	c.by.Notification(m)
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
	if c.server.onAnswer != nil {
		go c.server.onAnswer(c, id.Raw())
	}
	return nil
}

// says hands on what the server says on the stream of no call.
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

// unanswered returns how many calls of the first connection wait.
func (s *server) unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (f *fakeServer) isModern() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.modern
}
