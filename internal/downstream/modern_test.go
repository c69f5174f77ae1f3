package downstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// modern connects in the modern era.
func modern(t *testing.T, s HTTP, h peer.Handler) *httpInstance {
	t.Helper()
	i := connect(t, s, h)
	i.SetProtocolVersion(protocol.LatestModern)
	return i
}

// say writes an event with a message and sends it off.
func say(w http.ResponseWriter, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "data: "+format+"\n\n", args...)
	_ = http.NewResponseController(w).Flush()
}

// requests notes what a server was asked.
type requests struct {
	mu   sync.Mutex
	list []*http.Request
}

func (q *requests) note(r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, r)
}

func (q *requests) all() []*http.Request {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.list)
}

func TestModernHasNoSession(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.Header().Set(sessionHeader, "evil")
		w.Header().Set("Content-Type", jsonType)
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if m := received(t, r); !m.ID.IsZero() {
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	for _, method := range []string{protocol.Discover, protocol.Initialize, "x"} {
		if got := result(t, i, request(method, `{`+meta+`}`)); got != "{}" {
			t.Errorf("%s: %s", method, got)
		}
	}
	for _, method := range []string{protocol.Initialized, protocol.Cancelled, "notifications/x"} {
		if err := i.Notify(request(method, `{}`)); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	result(t, i, request("last", `{`+meta+`}`)) // the notifications were sent before
	if err := i.Answer(jsonrpc.IntID(1), peer.Clear(peer.Result, "ping", []byte("{}"))); !errors.Is(err, peer.ErrNotSent) {
		t.Errorf("an answer: %v", err)
	}
	i.Close(patience)
	var got []string
	for _, r := range seen.all() {
		got = append(got, r.Method+" "+r.Header.Get("Mcp-Method"))
		if r.Header.Get(sessionHeader) != "" {
			t.Errorf("%s is in a session", got[len(got)-1])
		}
	}
	want := []string{
		"POST server/discover", "POST initialize", "POST x", "POST notifications/initialized", "POST notifications/x", "POST last",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the server saw %q, want %q", got, want)
	}
}

func TestModernRefusalsAreAnswers(t *testing.T) {
	const refused = "failed: the server refused the request: HTTP status "
	for _, tt := range []struct {
		name, body, want string
		status           int
	}{
		{"own id", `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}`, `error: {"code":-32601,"message":"m"}`, 404},
		{"null id", `{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"m"}}`, `error: {"code":-32022,"message":"m"}`, 400},
		{"no id", `{"jsonrpc":"2.0","error":{"code":-32020,"message":"m"}}`, `error: {"code":-32020,"message":"m"}`, 400},
		{"foreign id", `{"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"m"}}`, refused + "400", 400},
		{"not found", "CANARY", refused + "404", 404},
		{"a result", `{"jsonrpc":"2.0","id":1,"result":{}}`, refused + "400", 400},
		{"duplicate", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"code":2,"message":"m"}}`, refused + "400", 400},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		i := modern(t, HTTP{URL: url}, &notes{})
		if got := result(t, i, request("x", `{`+meta+`}`)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if i.Err() != nil {
			t.Errorf("%s: the connection ended: %v", tt.name, i.Err())
		}
	}
}

// TestProbeLeavesNothing goes through the eras on one connection: each begins as
// if nothing had been before.
func TestProbeLeavesNothing(t *testing.T) {
	var seen requests
	listening, left := make(chan struct{}, 1), make(chan struct{}, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.Header().Set("Content-Type", jsonType)
		switch r.Method {
		case http.MethodGet:
			w.Header().Set("Content-Type", streamType)
			_ = http.NewResponseController(w).Flush()
			listening <- struct{}{}
			<-r.Context().Done()
			left <- struct{}{}
		case http.MethodPost:
			m := received(t, r)
			switch {
			case m.ID.IsZero():
				w.WriteHeader(http.StatusAccepted)
			case m.Method == protocol.Discover:
				w.WriteHeader(http.StatusNotFound)
			default:
				w.Header().Set(sessionHeader, "s")
				_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
			}
		}
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	result(t, i, request(protocol.Discover, `{`+meta+`}`))
	for range 2 {
		i.SetProtocolVersion("")
		result(t, i, request(protocol.Initialize, `{}`))
		i.SetProtocolVersion("2025-06-18")
		if err := i.Notify(request(protocol.Initialized, "")); err != nil {
			t.Fatal(err)
		}
		receive(t, listening)
		result(t, i, request("x", `{}`))
		i.SetProtocolVersion("")
		receive(t, left)
	}
	i.SetProtocolVersion(protocol.LatestModern)
	result(t, i, request("y", `{`+meta+`}`))
	var got []string
	deletes := 0
	for _, r := range seen.all() {
		if r.Method == http.MethodDelete { // nothing waits for it
			deletes++
			continue
		}
		got = append(got, fmt.Sprint(r.Method, " ", mirrorHeaders(r)))
	}
	handshake := []string{
		"POST ", "POST Mcp-Protocol-Version=2025-06-18 Mcp-Session-Id=s",
		"GET Mcp-Protocol-Version=2025-06-18 Mcp-Session-Id=s", "POST Mcp-Protocol-Version=2025-06-18 Mcp-Session-Id=s",
	}
	want := slices.Concat([]string{"POST Mcp-Method=server/discover Mcp-Protocol-Version=2026-07-28"}, handshake, handshake,
		[]string{"POST Mcp-Method=y Mcp-Protocol-Version=2026-07-28"})
	if !slices.Equal(got, want) || deletes > 2 {
		t.Errorf("%d sessions were deleted; the server saw\n%s", deletes, strings.Join(got, "\n"))
	}
}

// TestModernRequestsOnStdio: there the era is that of the connection.
func TestModernRequestsOnStdio(t *testing.T) {
	var n notes
	i := dial(t, spec("serve"), &n)
	i.SetProtocolVersion(protocol.LatestModern)
	if got := result(t, i, request("talk", `{`+meta+`}`)); got != `"ok"` {
		t.Errorf("got %s", got)
	}
	i.SetProtocolVersion("2025-11-25")
	if got := result(t, i, request("talk", `{}`)); got != `"ok"` {
		t.Errorf("got %s", got)
	}
	const progress = `notification notifications/progress {"progress":1}`
	if got, want := n.all(), []string{progress, "anomaly request_in_modern_era", progress, "request 2 ping "}; !slices.Equal(got, want) {
		t.Errorf("the handler heard %q, want %q", got, want)
	}
}

// TestHandshakeThatCrossesTheProbe is answered when the server was found to
// speak the modern era: it opens no session.
func TestHandshakeThatCrossesTheProbe(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		close(arrived)
		<-release
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set(sessionHeader, "s")
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	_, replies := ask(t, i, request(protocol.Initialize, `{}`))
	receive(t, arrived)
	i.SetProtocolVersion(protocol.LatestModern)
	close(release)
	await(t, replies)
	if got := i.terms(); got != (terms{version: protocol.LatestModern, era: protocol.Modern}) {
		t.Errorf("the terms are %+v", got)
	}
}
