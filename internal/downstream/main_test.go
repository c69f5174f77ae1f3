package downstream

import (
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// TestMain makes the test binary a server when a test starts it as a child.
func TestMain(m *testing.M) {
	if behaviour := os.Getenv(childVariable); behaviour != "" {
		runChild(behaviour)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func request(method, params string) peer.Cleared {
	if params == "" {
		return peer.Clear(peer.Params, method, nil)
	}
	return peer.Clear(peer.Params, method, []byte(params))
}

// notes is a handler that notes what it is called with, in order.
type notes struct {
	mu   sync.Mutex
	list []string
	on   func(m jsonrpc.Message) // called for requests
}

func (n *notes) add(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, s)
}

func (n *notes) Request(m jsonrpc.Message) {
	n.add("request " + m.ID.Raw() + " " + m.Method + " " + string(m.Params))
	if n.on != nil {
		n.on(m)
	}
}

func (n *notes) Notification(m jsonrpc.Message) {
	n.add("notification " + m.Method + " " + string(m.Params))
}

func (n *notes) Anomaly(what string) { n.add("anomaly " + what) }

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.list...)
}

// eventually waits until the notes contain all of want.
func (n *notes) eventually(t *testing.T, want ...string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		got := strings.Join(n.all(), "\n")
		missing := ""
		for _, w := range want {
			if !strings.Contains(got, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q did not happen; what did:\n%s", missing, got)
		}
	}
}

// caller makes a function a peer.Caller. What the server says on the stream of
// the call goes to talk.
type caller struct {
	answered func(peer.Reply)
	talk     peer.Handler
}

func (c caller) Answered(r peer.Reply)          { c.answered(r) }
func (c caller) Request(m jsonrpc.Message)      { c.talk.Request(m) }
func (c caller) Notification(m jsonrpc.Message) { c.talk.Notification(m) }

// handlerOf returns whom an instance hands what belongs to no call.
func handlerOf(i Instance) peer.Handler {
	switch i := i.(type) {
	case *stdioInstance:
		return i.inbox.handler
	case *httpInstance:
		return i.inbox.handler
	case *sseInstance:
		return i.inbox.handler
	default:
		return nil
	}
}

// ask makes a call and returns where its reply will arrive. A second run of the
// continuation fails the test.
func ask(t *testing.T, i Instance, c peer.Cleared) (peer.Call, <-chan peer.Reply) {
	t.Helper()
	return askAs(t, i, handlerOf(i), c)
}

// askAs is ask for a caller whom what comes on the stream of the call is told.
func askAs(t *testing.T, i Instance, talk peer.Handler, c peer.Cleared) (peer.Call, <-chan peer.Reply) {
	t.Helper()
	replies := make(chan peer.Reply, 1)
	var once sync.Once
	call := i.Call(c, caller{talk: talk, answered: func(r peer.Reply) {
		first := false
		once.Do(func() { first = true })
		if !first {
			t.Errorf("the continuation ran twice, now with %+v", r)
			return
		}
		replies <- r
	}})
	return call, replies
}

func await(t *testing.T, replies <-chan peer.Reply) peer.Reply {
	t.Helper()
	select {
	case r := <-replies:
		return r
	case <-time.After(patience):
		t.Fatal("the call did not end")
		return peer.Reply{}
	}
}

// result makes a call and returns its result, or what it got instead.
func result(t *testing.T, i Instance, c peer.Cleared) string {
	t.Helper()
	_, replies := ask(t, i, c)
	r := await(t, replies)
	switch {
	case r.Err != nil:
		return "failed: " + r.Err.Error()
	case r.Error != nil:
		return "error: " + string(r.Error)
	default:
		return string(r.Result)
	}
}

// receive returns what comes from a channel.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("that did not happen")
		panic("not reached")
	}
}

func awaitDone(t *testing.T, i Instance) {
	t.Helper()
	select {
	case <-i.Done():
	case <-time.After(patience):
		t.Fatal("the connection did not end")
	}
}

func shape() *jsonrpc.Shape { return protocol.Message() }
