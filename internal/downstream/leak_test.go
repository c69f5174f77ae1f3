package downstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// knownErrors are the errors that a call may end with.
var knownErrors = []error{peer.ErrGone, peer.ErrBusy, peer.ErrBadAnswer, peer.ErrTooLong, peer.ErrStatus, peer.ErrNotSent}

// raw answers every request with the same bytes.
func raw(t *testing.T, answer string) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = rw.WriteString(answer)
		_ = rw.Flush()
		_ = conn.Close()
	})
}

// TestNoWordOfTheTransport has a server speak everywhere but in a message: in
// the status line, in headers, bodies, and the fields of an event stream. None
// of it gets into an error, the log, or to whoever is called.
func TestNoWordOfTheTransport(t *testing.T) {
	const head = "X-A: CANARY\r\nWWW-Authenticate: Bearer error_description=\"CANARY\"\r\nServer: CANARY\r\n"
	const events = "Content-Type: text/event-stream; a=CANARY\r\n"
	const answer = `data: {"jsonrpc":"2.0","id":1,"result":1}` + "\n\n"
	for name, said := range map[string]string{
		"status text":     "HTTP/1.1 500 CANARY\r\n" + head + "\r\nCANARY",
		"no status":       "HTTP/1.1 CANARY CANARY\r\n\r\n",
		"no HTTP":         "CANARY",
		"a broken header": "HTTP/1.1 200 OK\r\nCANARY\r\n\r\n",
		"a redirect":      "HTTP/1.1 302 CANARY\r\nLocation: http://CANARY.example/\r\n\r\n",
		"a bad redirect":  "HTTP/1.1 302 CANARY\r\nLocation: ://CANARY%zz\r\n\r\n",
		"unauthorized":    "HTTP/1.1 401 CANARY\r\n" + head + "Content-Type: text/CANARY\r\n\r\nCANARY",
		"forbidden":       "HTTP/1.1 403 CANARY\r\n" + head + "Content-Type: application/json\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"CANARY\"}}",
		"a page":          "HTTP/1.1 200 CANARY\r\n" + head + "Content-Type: text/html\r\n\r\nCANARY",
		"an encoding":     "HTTP/1.1 200 OK\r\nContent-Encoding: CANARY\r\nContent-Type: application/json\r\n\r\n{}",
		"a cut body":      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\nCANARY",
		"bad chunks":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nCANARY",
		"fields":          "HTTP/1.1 200 CANARY\r\n" + head + events + "\r\n: CANARY\nevent: CANARY\ndata: CANARY\nid: CANARY\n\nCANARY: CANARY\nretry: CANARY\n\n" + answer,
		"fields, no end":  "HTTP/1.1 200 CANARY\r\n" + head + events + "\r\n: CANARY\nid: CANARY\nevent: CANARY\ndata: CANARY\n",
		"a trailer":       "HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n26\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}   \r\n0\r\nX-T: CANARY\r\n\r\n",
	} {
		url := raw(t, said)
		for _, version := range []string{"2025-11-25", protocol.LatestModern} {
			var log logged
			n := &notes{}
			i := connect(t, HTTP{URL: url, FallbackSSE: true, Authorizer: &tokens{list: []string{"a"}}}, n)
			i.log = slog.New(slog.NewTextHandler(&log, nil))
			i.SetProtocolVersion(version)
			_, replies := ask(t, i, request("x", `{`+meta+`}`))
			r := await(t, replies)
			if err := i.Notify(request("notifications/x", "")); err != nil {
				t.Error(err)
			}
			receive(t, i.out.before())
			known := r.Err == nil
			for _, e := range knownErrors {
				known = known || errors.Is(r.Err, e)
			}
			everything := fmt.Sprint(r.Err, " ", string(r.Result), " ", string(r.Error), " ", n.all(), " ", log.String(), " ", i.Err())
			if !known || strings.Contains(everything, "CANARY") {
				t.Errorf("%s, %s: %s", name, version, everything)
			}
		}
		if !strings.HasPrefix(name, "fields") && name != "a trailer" {
			_, err := oldSettings(url).Dial(t.Context(), &notes{})
			if err == nil || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%s, the old transport: %v", name, err)
			}
		}
	}
}

// logged is a log that is written by several.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestOldServersAreTold: what a server answers that knows the old transport
// only can be told from everything else.
func TestOldServersAreTold(t *testing.T) {
	const own = `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"m"}}`
	const foreign = `{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"m"}}%.0s`
	for _, tt := range []struct {
		status int
		body   string
		old    bool
	}{
		{400, "no%.0s", true}, {404, "no%.0s", true}, {405, "%.0s", true}, {405, `{"message":"no"}%.0s`, true},
		{404, own, false}, {400, foreign, false},
		{401, "no%.0s", false}, {403, "no%.0s", false}, {406, "no%.0s", false}, {500, "no%.0s", false}, {302, "no%.0s", false}, {200, "no%.0s", false},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			m := received(t, r)
			w.Header().Set("Content-Type", jsonType)
			if m.Method == "works" {
				_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw())
				return
			}
			w.WriteHeader(tt.status)
			_, _ = fmt.Fprintf(w, tt.body, m.ID.Raw())
		})
		isOld := func(i Instance, method string) bool {
			_, replies := ask(t, i, request(method, `{`+meta+`}`))
			return errors.Is(await(t, replies).Err, ErrOldTransport)
		}
		i := modern(t, HTTP{URL: url, FallbackSSE: true}, &notes{})
		for _, method := range []string{protocol.Discover, protocol.Initialize} { // neither was accepted
			if isOld(i, method) != tt.old {
				t.Errorf("%d %q: %t", tt.status, tt.body, !tt.old)
			}
			i.SetProtocolVersion("")
		}
		if isOld(modern(t, HTTP{URL: url}, &notes{}), "x") {
			t.Errorf("%d %q without the setting", tt.status, tt.body)
		}
		if isOld(i, "works") || isOld(i, "x") {
			t.Errorf("%d %q after it worked", tt.status, tt.body)
		}
	}
}

// TestAnswersToNothing are answers to the calls of others.
func TestAnswersToNothing(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		w.Header().Set("Content-Type", streamType)
		if m.Method == "victim" {
			_ = http.NewResponseController(w).Flush()
			<-release
			say(w, `{"jsonrpc":"2.0","id":%s,"result":"mine"}`, m.ID.Raw())
			return
		}
		for id := range 20 { // whoever else has called, or will
			say(w, `{"jsonrpc":"2.0","id":%d,"result":"evil"}`, id)
		}
	})
	for _, version := range []string{"2025-11-25", protocol.LatestModern} {
		n := &notes{}
		i := connect(t, HTTP{URL: url}, n)
		i.SetProtocolVersion(version)
		victim, replies := ask(t, i, request("victim", `{`+meta+`}`))
		if got := result(t, i, request("evil", `{`+meta+`}`)); got != `"evil"` {
			t.Errorf("its own answer: %s", got)
		}
		release <- struct{}{}
		if r := await(t, replies); string(r.Result) != `"mine"` || victim.ID() != jsonrpc.IntID(1) {
			t.Errorf("%s: the victim got %+v", version, r)
		}
		n.eventually(t, strings.TrimSuffix(strings.Repeat("anomaly "+peer.AnomalyUnasked+"\n", 19), "\n"))
	}
}
