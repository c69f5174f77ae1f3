package isolation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// factory makes fake cores and remembers them.
type factory struct {
	start, end time.Duration // how long cores take to start and to close

	mu    sync.Mutex
	cores []*fakeCore
}

func (f *factory) make(scope string) Core {
	c := &fakeCore{factory: f, scope: scope}
	f.mu.Lock()
	f.cores = append(f.cores, c)
	f.mu.Unlock()
	return Of(c)
}

// open returns the scopes of the cores that run, and how many there ever were.
func (f *factory) open() (scopes []string, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cores {
		if c.running.Load() {
			scopes = append(scopes, c.scope)
		}
	}
	slices.Sort(scopes)
	return scopes, len(f.cores)
}

type fakeCore struct {
	factory *factory
	scope   string
	running atomic.Bool
	closed  atomic.Bool
	clients atomic.Int64
}

func (c *fakeCore) Start(context.Context) {
	time.Sleep(c.factory.start)
	if c.running.Swap(true) {
		panic("started twice")
	}
}

func (c *fakeCore) Connect(_ context.Context, who peer.Hello, _ peer.Sink) *fakeClient {
	if !c.running.Load() && !c.closed.Load() {
		panic("connected to a core that was not started")
	}
	c.clients.Add(1)
	return &fakeClient{core: c, who: who}
}

func (c *fakeCore) Close() {
	c.closed.Store(true)
	time.Sleep(c.factory.end)
	if !c.running.Swap(false) {
		panic("closed, but not running")
	}
}

type fakeClient struct {
	core *fakeCore
	who  peer.Hello
}

func (*fakeClient) Message(jsonrpc.Message)     {}
func (*fakeClient) Malformed(jsonrpc.ID, error) {}
func (*fakeClient) Drain(context.Context) error { return nil }
func (c *fakeClient) Close()                    { c.core.clients.Add(-1) }

// coreOf returns the core that a client of the pool is connected to.
func coreOf(t *testing.T, c Client) *fakeCore {
	t.Helper()
	l, ok := c.(*lease)
	if !ok {
		t.Fatalf("a client of type %T", c)
	}
	inner, ok := l.Client.(*fakeClient)
	if !ok {
		t.Fatalf("connected to %T", l.Client)
	}
	return inner.core
}

var sessions atomic.Int64

func session(principal string) peer.Hello {
	return peer.Hello{Principal: principal, Session: fmt.Sprintf("s%d", sessions.Add(1))}
}

func request(principal string) peer.Hello {
	h := session(principal)
	h.Stateless = true
	return h
}

func connect(t *testing.T, p *Pool, who peer.Hello) Client {
	t.Helper()
	c, err := p.Connect(t.Context(), who, nil)
	if err != nil {
		t.Fatalf("%s: %v", who.Principal, err)
	}
	return c
}
