package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// oldServer is a server of the old transport, as a test wants it to be.
type oldServer struct {
	endpoint string // "": /messages
	// post takes a message; what it says goes onto the event stream.
	post func(w http.ResponseWriter, r *http.Request, m jsonrpc.Message, say func(string))

	mu     sync.Mutex
	stream http.ResponseWriter
	hangUp context.CancelFunc
	seen   requests
}

func (o *oldServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.seen.note(r)
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", streamType)
		endpoint := o.endpoint
		if endpoint == "" {
			endpoint = "/messages?session=1"
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		o.mu.Lock()
		o.stream, o.hangUp = w, cancel
		_, _ = fmt.Fprintf(w, "event: endpoint\ndata: %s\n\n", endpoint)
		_ = http.NewResponseController(w).Flush()
		o.mu.Unlock()
		<-ctx.Done()
		o.mu.Lock() // until what is being said was said
		defer o.mu.Unlock()
		o.stream = nil
		return
	}
	body, _ := io.ReadAll(r.Body)
	m, _ := jsonrpc.Parse(body, nil)
	o.post(w, r, m, o.say)
}

func (o *oldServer) say(event string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stream != nil {
		_, _ = io.WriteString(o.stream, event)
		_ = http.NewResponseController(o.stream).Flush()
	}
}

func (o *oldServer) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hangUp()
}

// old connects to o.
func old(t *testing.T, o *oldServer, h peer.Handler) *sseInstance {
	t.Helper()
	i, err := oldSettings(serve(t, o.ServeHTTP)+"/sse?key=canary").Dial(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(time.Second) })
	return i.(*sseInstance)
}

func oldSettings(url string) SSE {
	return SSE{
		Name: "old", URL: url, Headers: map[string]string{"X-Key": "k"}, MaxMessage: 1 << 16,
		OpenTimeout: patience, Shape: shape(), Log: quiet(),
	}
}

// message is a message as an event.
func message(format string, args ...any) string {
	return "event: message\ndata: " + fmt.Sprintf(format, args...) + "\n\n"
}

func TestSSECalls(t *testing.T) {
	long := strings.Repeat("x", 4*maxEndpoint)
	o := &oldServer{post: func(w http.ResponseWriter, _ *http.Request, m jsonrpc.Message, say func(string)) {
		switch m.Method {
		case "at once": // the answer comes before the POST ends
			say(message(`{"jsonrpc":"2.0","id":%s,"result":"ok"}`, m.ID.Raw()))
			w.WriteHeader(http.StatusAccepted)
		case "in the body": // as some did, who sent it both ways
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":"twice"}`, m.ID.Raw())
			say(message(`{"jsonrpc":"2.0","id":%s,"result":"ok"}`, m.ID.Raw()))
		case "long":
			say(message(`{"jsonrpc":"2.0","id":%s,"result":%q}`, m.ID.Raw(), long))
		case "an error":
			say(message(`{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":"m"}}`, m.ID.Raw()))
		case "refused":
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"m"}}`)
		case "broken":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "CANARY")
		case "moved":
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "hangs up":
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		}
	}}
	n := &notes{}
	i := old(t, o, n)
	i.SetProtocolVersion("2024-11-05")
	for method, want := range map[string]string{
		"at once": `"ok"`, "in the body": `"ok"`, "long": `"` + long + `"`,
		"an error": `error: {"code":1,"message":"m"}`,
		"refused":  `error: {"code":-32602,"message":"m"}`,
		"broken":   "failed: the server refused the request: HTTP status 502",
		"moved":    "failed: the server refused the request: HTTP status 307",
		"hangs up": "failed: the server is gone: the connection failed",
	} {
		if got := result(t, i, request(method, `{}`)); got != want {
			t.Errorf("%s: got %s, want %s", method, got, want)
		}
	}
	if got := n.all(); len(got) != 0 || i.Err() != nil {
		t.Errorf("the handler heard %q, %v", got, i.Err())
	}
	for _, r := range o.seen.all()[1:] {
		if r.Method != http.MethodPost || r.URL.String() != "/messages?session=1" || r.Header.Get("X-Key") != "k" ||
			r.Header.Get(sessionHeader) != "" || r.Header.Get(versionHeader) != "2024-11-05" {
			t.Errorf("the server saw %s %s %v", r.Method, r.URL, r.Header)
		}
	}
}

// TestSSEStream is what a hostile server may say on the one stream.
func TestSSEStream(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	for _, tt := range []struct{ name, say, want, notes string }{
		{"news", message(`{"jsonrpc":"2.0","method":"a","params":{"n":9007199254740993}}`), "1", `notification a {"n":9007199254740993}`},
		{"a question", message(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), "1", "request 1 ping "},
		{"before it is asked", message(`{"jsonrpc":"2.0","id":7,"result":7}`), "1", "anomaly " + peer.AnomalyUnasked},
		{"twice", message(`{"jsonrpc":"2.0","id":1,"result":1}`), "1", "anomaly " + peer.AnomalyTwice},
		{"the id as a string", message(`{"jsonrpc":"2.0","id":"1","result":2}`), "1", "anomaly " + peer.AnomalyUnasked},
		{"garbage", message(`{"jsonrpc"`), "1", "anomaly " + peer.AnomalyMalformed},
		{"two readings", message(`{"jsonrpc":"2.0","id":1,"result":1,"Result":2}`), "failed: " + peer.ErrBadAnswer.Error(), "anomaly " + peer.AnomalyMalformed + "|anomaly " + peer.AnomalyTwice},
		{"a batch", message(`[{"jsonrpc":"2.0","id":1,"result":1}]`), "1", "anomaly " + peer.AnomalyBatch},
		{"too long, of nobody", message(`{"jsonrpc":"2.0","method":"n","params":["%s"]}`, long), "1", "anomaly " + peer.AnomalyTooLong},
		{"too long, of the call", message(`{"jsonrpc":"2.0","id":1,"result":"%s"}`, long), "failed: " + peer.ErrTooLong.Error(), "anomaly " + peer.AnomalyTooLong + "|anomaly " + peer.AnomalyTwice},
		{"another endpoint", "event: endpoint\ndata: /elsewhere\n\n", "1", "anomaly " + peer.AnomalyMalformed},
		{"other events", "event: ping\ndata: x\n\n: comment\n\nid: 5\nretry: 1\n\n", "1", ""},
		{"no name", `data: {"jsonrpc":"2.0","method":"a"}` + "\n\n", "1", "notification a "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &oldServer{post: func(w http.ResponseWriter, _ *http.Request, m jsonrpc.Message, say func(string)) {
				w.WriteHeader(http.StatusAccepted)
				if m.Method == "x" {
					say(tt.say)
				}
				say(message(`{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw()))
			}}
			n := &notes{}
			i := old(t, o, n)
			if got := result(t, i, request("x", "")); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := result(t, i, request("y", "")); got != "1" { // nothing but the call was harmed
				t.Errorf("afterwards %s", got)
			}
			if got := strings.Join(n.all(), "|"); got != tt.notes {
				t.Errorf("the handler heard %q, want %q", got, tt.notes)
			}
			for _, r := range o.seen.all() {
				if r.Method == http.MethodPost && r.URL.Path != "/messages" {
					t.Errorf("a message went to %s", r.URL)
				}
			}
		})
	}
}

func TestSSELateAnswer(t *testing.T) {
	arrived := make(chan string, 3)
	o := &oldServer{post: func(w http.ResponseWriter, r *http.Request, m jsonrpc.Message, _ func(string)) {
		arrived <- m.ID.Raw()
		switch m.Method {
		case "fails":
			w.WriteHeader(http.StatusInternalServerError)
		case "hangs up":
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		}
		if m.Method == "x" { // so that nothing else uses the connection that ends with it
			<-r.Context().Done()
		}
	}}
	n := &notes{}
	i := old(t, o, n)
	call, replies := ask(t, i, request("x", ""))
	first := receive(t, arrived)
	call.Abandon(context.DeadlineExceeded)
	if r := await(t, replies); !errors.Is(r.Err, context.DeadlineExceeded) {
		t.Errorf("got %+v", r)
	}
	if got := result(t, i, request("fails", "")); !strings.Contains(got, "HTTP status 500") {
		t.Errorf("got %s", got)
	}
	second := receive(t, arrived)
	if got := result(t, i, request("hangs up", "")); !strings.Contains(got, peer.ErrGone.Error()) {
		t.Errorf("got %s", got)
	}
	for _, id := range []string{first, second, receive(t, arrived)} {
		o.say(message(`{"jsonrpc":"2.0","id":%s,"result":1}`, id))
	}
	o.say(message(`{"jsonrpc":"2.0","method":"end"}`))
	n.eventually(t, "notification end")
	late := "anomaly " + peer.AnomalyLate
	if got := n.all(); !slices.Equal(got, []string{late, late, late, "notification end "}) {
		t.Errorf("the handler heard %q", got)
	}
}

// TestSSEOrder: a notification is there before the calls that were made later,
// and answers go out beside them.
func TestSSEOrder(t *testing.T) {
	var mu sync.Mutex
	var order []string
	o := &oldServer{post: func(w http.ResponseWriter, _ *http.Request, m jsonrpc.Message, say func(string)) {
		mu.Lock()
		order = append(order, m.Method+string(m.Result))
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		if m.Method == "call" {
			say(message(`{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw()))
		}
		if len(m.Result) != 0 {
			say(message(`{"jsonrpc":"2.0","method":"thanks"}`))
		}
	}}
	n := &notes{}
	i := old(t, o, n)
	for range 20 {
		if err := i.Notify(request("news", "")); err != nil {
			t.Fatal(err)
		}
	}
	result(t, i, request("call", ""))
	if err := i.Answer(jsonrpc.StringID("q"), peer.Clear(peer.Result, "ping", []byte(`{"a":1}`))); err != nil {
		t.Fatal(err)
	}
	n.eventually(t, "notification thanks")
	mu.Lock()
	defer mu.Unlock()
	want := append(slices.Repeat([]string{"news"}, 20), "call", `{"a":1}`)
	if !slices.Equal(order, want) {
		t.Errorf("the server got %q", order)
	}
}

// TestSSEIsLegacy: the modern era has no such transport.
func TestSSEIsLegacy(t *testing.T) {
	o := &oldServer{post: func(_ http.ResponseWriter, r *http.Request, m jsonrpc.Message, say func(string)) {
		say(message(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
		say(message(`{"jsonrpc":"2.0","id":%s,"result":%q}`, m.ID.Raw(), mirrorHeaders(r)))
	}}
	n := &notes{}
	i := old(t, o, n)
	i.SetProtocolVersion(protocol.LatestModern)
	i.SetProtocolVersion("a\r\nb")
	if got := result(t, i, request("tools/call", `{"name":"x"}`)); got != `""` {
		t.Errorf("headers %s", got)
	}
	if got := n.all(); !slices.Equal(got, []string{"request 1 ping "}) {
		t.Errorf("the handler heard %q", got)
	}
}
