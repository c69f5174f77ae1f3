package downstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// serve starts an HTTP server that ends with the test, also while requests run.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

func connect(t *testing.T, s HTTP, h peer.Handler) *httpInstance {
	t.Helper()
	s.Name, s.Shape, s.Log = "test", shape(), quiet()
	if s.MaxMessage == 0 {
		s.MaxMessage = 1 << 20
	}
	i, err := s.Dial(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(time.Second) })
	conn, ok := i.(*httpInstance)
	if !ok {
		t.Fatalf("Dial returned %T", i)
	}
	return conn
}

// received reads the message of a POST.
func received(t *testing.T, r *http.Request) jsonrpc.Message {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("reading a request: %v", err)
	}
	m, err := jsonrpc.Parse(body, nil)
	if err != nil {
		t.Errorf("the server got %q: %v", body, err)
	}
	return m
}

func TestHTTPAnswers(t *testing.T) {
	const (
		bad     = "failed: the server's answer is not a valid message"
		gone    = "failed: the server is gone"
		long    = "failed: the server's answer is too long"
		refused = "failed: the server refused the request: HTTP status "
		good    = `{"jsonrpc":"2.0","id":1,"result":"ok"}`
		fault   = `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}`
	)
	for _, tt := range []struct {
		name   string
		status int
		media  string
		body   string
		want   string
		notes  string
	}{
		{"json", 200, "application/json", "{\"jsonrpc\":\"2.0\",\n \"id\":1,\n \"result\":{\"n\": 9007199254740993,\n \"f\":1.0}\n}\n", "{\"n\": 9007199254740993,\n \"f\":1.0}", ""},
		{"json with parameters", 200, "Application/JSON; charset=utf-8", good, `"ok"`, ""},
		{"error", 200, "application/json", fault, `error: {"code":-32601,"message":"m"}`, ""},
		{"wrong id", 200, "application/json", `{"jsonrpc":"2.0","id":2,"result":1}`, bad, "anomaly answer_to_nothing"},
		{"id as string", 200, "application/json", `{"jsonrpc":"2.0","id":"1","result":1}`, bad, "anomaly answer_to_nothing"},
		{"no id", 200, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}`, bad, "anomaly answer_to_nothing"},
		{"a request", 200, "application/json", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, bad, "anomaly malformed_message"},
		{"not json", 200, "application/json", "<html>", bad, "anomaly malformed_message"},
		{"two messages", 200, "application/json", good + good, bad, "anomaly malformed_message"},
		{"duplicate", 200, "application/json", `{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}`, bad, "anomaly malformed_message"},
		{"case variant", 200, "application/json", `{"jsonrpc":"2.0","id":1,"result":1,"Result":2}`, bad, "anomaly malformed_message"},
		{"bad utf-8", 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}", bad, "anomaly malformed_message"},
		{"deep", 200, "application/json", `{"jsonrpc":"2.0","id":1,"result":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, bad, "anomaly malformed_message"},
		{"batch", 200, "application/json", "[" + good + "]", bad, "anomaly batch_refused"},
		{"too long", 200, "application/json", `{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 1<<20) + `"}`, long, "anomaly message_too_long"},
		{"html", 200, "text/html", good, bad, "anomaly malformed_message"},
		{"no type", 200, "-", good, bad, "anomaly malformed_message"},
		{"accepted", 202, "", "", bad, "anomaly malformed_message"},
		{"no content", 204, "", "", bad, "anomaly malformed_message"},

		{"error with a status", 404, "application/json", fault, `error: {"code":-32601,"message":"m"}`, ""},
		{"nameless error with a status", 400, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}`, `error: {"code":1,"message":"m"}`, ""},
		{"foreign error with a status", 400, "application/json", `{"jsonrpc":"2.0","id":"server-error","error":{"code":1,"message":"m"}}`, refused + "400", ""},
		{"result with a status", 500, "application/json", good, refused + "500", ""},
		{"gateway", 502, "application/json", `{"message":"CANARY"}`, refused + "502", ""},
		{"error as html", 400, "text/html", fault, refused + "400", ""},
		{"unauthorized", 401, "text/plain", "CANARY", refused + "401", ""},
		{"long error", 400, "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"` + strings.Repeat("x", maxErrorBody) + `"}}`, refused + "400", ""},

		{"stream", 200, "text/event-stream", "data: " + good + "\n\n", `"ok"`, ""},
		{"stream with lines", 200, "text/event-stream; charset=utf-8", "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\ndata: \"result\":[1,\ndata: 2]}\n\n", "[1,\n2]", ""},
		{
			"stream with news", 200, "text/event-stream",
			"id: 1\ndata:\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/a\"}\n\n" +
				"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\ndata: " + good + "\n\n",
			`"ok"`, "notification notifications/a |request 1 ping ",
		},
		{"stream of other events", 200, "text/event-stream", "event: other\ndata: " + fault + "\n\ndata: " + good + "\n\n", `"ok"`, ""},
		{"stream with a foreign id", 200, "text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}\n\ndata: " + good + "\n\n", `"ok"`, "anomaly answer_to_nothing"},
		{"stream with garbage", 200, "text/event-stream", "data: {\n\ndata: [" + good + "]\n\ndata: " + good + "\n\n", `"ok"`, "anomaly malformed_message|anomaly batch_refused"},
		{"stream with a bad answer", 200, "text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1,\"a\":1}}\n\ndata: " + good + "\n\n", bad, "anomaly malformed_message|anomaly answered_twice"},
		{"stream without an answer", 200, "text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/a\"}\n\n", gone, "notification notifications/a "},
		{"stream that breaks off", 200, "text/event-stream", "data: " + good + "\n", gone, ""},
		{"long event", 200, "text/event-stream", "data: " + strings.Repeat("x", 1<<20) + "\n\ndata: " + good + "\n\n", long, "anomaly message_too_long"},
		{"many events", 200, "text/event-stream", strings.Repeat("data: {\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n\n", 50) + "data: " + good + "\n\n", long, "anomaly message_too_long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var posts atomic.Int32
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				received(t, r)
				posts.Add(1)
				switch tt.media {
				case "":
				case "-":
					w.Header()["Content-Type"] = nil
				default:
					w.Header().Set("Content-Type", tt.media)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			var n notes
			i := connect(t, HTTP{URL: url, MaxEvents: 20}, &n)
			if got := result(t, i, request("x", "{}")); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.notes != "" && tt.name != "many events" {
				n.eventually(t, strings.Split(tt.notes, "|")...)
			}
			if got := strings.Join(n.all(), "|"); got != tt.notes && tt.name != "many events" {
				t.Errorf("the handler got %s, want %s", got, tt.notes)
			}
			if len(n.all()) > 21 {
				t.Errorf("%d events came through", len(n.all()))
			}
			if posts.Load() != 1 {
				t.Errorf("the call was sent %d times", posts.Load())
			}
			select {
			case <-i.Done():
				t.Errorf("the connection ended: %v", i.Err())
			default:
			}
		})
	}
}

func TestHTTPSecondAnswerOnAStream(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		id := received(t, r).ID.Raw()
		w.Header().Set("Content-Type", streamType)
		_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":1}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":2}\n\n", id, id)
	})
	var n notes
	i := connect(t, HTTP{URL: url}, &n)
	if got := result(t, i, request("x", "")); got != "1" {
		t.Errorf("got %s", got)
	}
	n.eventually(t, "anomaly "+peer.AnomalyTwice)
}

func TestHTTPStreamThatStaysOpen(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		id := received(t, r).ID.Raw()
		w.Header().Set("Content-Type", streamType)
		_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":1}\n\n", id)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // until the relay closes it
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	for range 5 {
		if got := result(t, i, request("x", "")); got != "1" {
			t.Errorf("got %s", got)
		}
	}
}

func TestHTTPGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 16 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	for _, media := range []string{jsonType, streamType} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			received(t, r)
			w.Header().Set("Content-Type", media)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		})
		i := connect(t, HTTP{URL: url}, &notes{})
		if got := result(t, i, request("x", "")); got != "failed: "+peer.ErrTooLong.Error() {
			t.Errorf("%s: got %s", media, got)
		}
	}
}

func TestHTTPRedirects(t *testing.T) {
	var stolen atomic.Int32
	target := serve(t, func(http.ResponseWriter, *http.Request) { stolen.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, place := range []string{target + "/", "/elsewhere"} {
			var posts atomic.Int32
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				http.Redirect(w, r, place, status)
			})
			i := connect(t, HTTP{URL: url + "/mcp", Headers: map[string]string{"X-Api-Key": "canary"}}, &notes{})
			if got, want := result(t, i, request("tools/call", "{}")), fmt.Sprintf("HTTP status %d", status); !strings.Contains(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
			if posts.Load() != 1 {
				t.Errorf("%d to %s: the call was sent %d times", status, place, posts.Load())
			}
		}
	}
	if stolen.Load() != 0 {
		t.Errorf("%d requests followed a redirect", stolen.Load())
	}
}

// TestHTTPNeverTwice uses servers that read a call and close the connection, on
// a new connection and on one that was used before.
func TestHTTPNeverTwice(t *testing.T) {
	for name, header := range map[string]string{"plain": "X-Plain", "marked as safe to repeat": "Idempotency-Key"} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				m := received(t, r)
				if m.Method == "warm up" {
					w.Header().Set("Content-Type", jsonType)
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw())
					return
				}
				calls.Add(1)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			})
			i := connect(t, HTTP{URL: url}, &notes{})
			i.headers.Set(header, "1") // past the check of the configuration
			for range 3 {
				if got := result(t, i, request("warm up", "")); got != "1" {
					t.Errorf("got %s", got)
				}
				before := calls.Load()
				_, replies := ask(t, i, request("tools/call", "{}"))
				if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
					t.Errorf("got %+v", r)
				}
				if n := calls.Load() - before; n != 1 {
					t.Errorf("the call was sent %d times", n)
				}
			}
		})
	}
}

func TestHTTPNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	i := connect(t, HTTP{URL: "http://" + address + "/mcp?key=canary"}, &notes{})
	_, replies := ask(t, i, request("x", ""))
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrNotSent) || strings.Contains(r.Err.Error(), "canary") {
		t.Errorf("got %+v", r)
	}
}

func TestHTTPErrorsQuoteNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "CANARY/1.1 200 CANARY\r\nCANARY\r\n\r\n")
			_ = conn.Close()
		}
	}()
	i := connect(t, HTTP{URL: "http://" + l.Addr().String()}, &notes{})
	_, replies := ask(t, i, request("x", ""))
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) || strings.Contains(r.Err.Error(), "CANARY") {
		t.Errorf("got %+v", r)
	}
}

func TestHTTPAbandon(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		received(t, r)
		close(arrived)
		<-r.Context().Done()
		close(left)
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	call, replies := ask(t, i, request("x", ""))
	<-arrived
	call.Abandon(context.DeadlineExceeded)
	if r := await(t, replies); !errors.Is(r.Err, context.DeadlineExceeded) {
		t.Errorf("got %+v", r)
	}
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the server was not told")
	}
}

func TestHTTPHeaderTimeout(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		received(t, r)
		<-r.Context().Done()
	})
	i := connect(t, HTTP{URL: url, HeaderTimeout: 50 * time.Millisecond}, &notes{})
	_, replies := ask(t, i, request("x", ""))
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
		t.Errorf("got %+v", r)
	}
}

func TestHTTPNotCleared(t *testing.T) {
	var posts atomic.Int32
	i := connect(t, HTTP{URL: serve(t, func(http.ResponseWriter, *http.Request) { posts.Add(1) })}, &notes{})
	refusesUncleared(t, i)
	if posts.Load() != 0 {
		t.Errorf("%d requests were sent", posts.Load())
	}
}

func TestHTTPRefusesConfigurations(t *testing.T) {
	for _, tt := range []struct {
		url     string
		headers map[string]string
		ok      bool
	}{
		{"https://example.com/mcp?a=1#f", map[string]string{"Authorization": "Bearer x"}, true},
		{"http://127.0.0.2:80/", map[string]string{"Authorization": "Bearer x"}, true},
		{"http://[::1]/", map[string]string{"Authorization": "Bearer x"}, true},
		{"http://LOCALHOST:1/", map[string]string{"Authorization": "Bearer x"}, true},
		{"http://example.com/", nil, true},
		{"http://example.com/", map[string]string{"Authorization": "Bearer x"}, false},
		{"http://localhost.example.com/", map[string]string{"A": "x"}, false},
		{"http://127.0.0.1.example.com/", map[string]string{"A": "x"}, false},
		{"https://user:canary@example.com/", nil, false},
		{"ftp://example.com/", nil, false},
		{"/canary", nil, false},
		{"https://", nil, false},
		{"https://canary\x7f/", nil, false},
		{"https://h/", map[string]string{"Host": "x"}, false},
		{"https://h/", map[string]string{"mcp-session-id": "x"}, false},
		{"https://h/", map[string]string{"idempotency-key": "x"}, false},
		{"https://h/", map[string]string{"X-A": "canary\r\nX-B: y"}, false},
		{"https://h/", map[string]string{"X A": "canary"}, false},
		{"https://h/", map[string]string{"": "canary"}, false},
	} {
		i, err := HTTP{Name: "n", URL: tt.url, Headers: tt.headers, Log: quiet()}.Dial(t.Context(), &notes{})
		if (err == nil) != tt.ok {
			t.Errorf("%s with %v: %v", tt.url, tt.headers, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the error quotes a secret: %v", err)
		}
		if err == nil {
			i.Close(0)
		}
	}
}

func TestHTTPManyCalls(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		w.Header().Set("Content-Type", jsonType)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID.Raw(), m.Params)
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			params := fmt.Sprintf("[%d]", n)
			if got := result(t, i, request("x", params)); got != params {
				t.Errorf("got %s, want %s", got, params)
			}
		})
	}
	wg.Wait()
}

func TestHTTPSession(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		what := r.Method
		if r.Method == http.MethodPost {
			m := received(t, r)
			what = m.Method + m.ID.Raw()
			w.Header().Set("Content-Type", jsonType)
			w.Header().Set(sessionHeader, "s-"+m.Method)
			if m.ID.IsZero() || m.Method == "" {
				w.WriteHeader(http.StatusAccepted)
			} else {
				_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
			}
		} else {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%s session=%s version=%s key=%s", what,
			r.Header.Get(sessionHeader), r.Header.Get(versionHeader), r.Header.Get("X-Key")))
	})
	i := connect(t, HTTP{URL: url, Headers: map[string]string{"x-key": "k"}}, &notes{})
	if got := result(t, i, request(protocol.Initialize, "{}")); got != "{}" {
		t.Fatal(got)
	}
	i.SetProtocolVersion("evil\r\nX: y") // without effect
	i.SetProtocolVersion("2025-11-25")
	if err := i.Notify(request(protocol.Initialized, "")); err != nil {
		t.Fatal(err)
	}
	if got := result(t, i, request("x", "")); got != "{}" {
		t.Fatal(got)
	}
	if err := i.Answer(jsonrpc.StringID("q"), peer.Clear(peer.Result, "ping", []byte("{}"))); err != nil {
		t.Fatal(err)
	}
	all := func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(seen, "\n")
	}
	for deadline := time.Now().Add(patience); strings.Count(all(), "\n") < 4; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the server saw\n%s", all())
		}
	}
	i.Close(time.Second)
	const rest = " session=s-initialize version=2025-11-25 key=k"
	for _, want := range []string{
		"initialize1 session= version= key=k", "notifications/initialized" + rest, "GET" + rest, "x2" + rest, `"q"` + rest, "DELETE" + rest,
	} {
		if !strings.Contains(all(), want) {
			t.Errorf("the server did not see %q but\n%s", want, all())
		}
	}
	if got := all(); strings.Index(got, protocol.Initialized) > strings.Index(got, "x2") {
		t.Errorf("a call overtook the notification before it:\n%s", got)
	}
	if !errors.Is(i.Err(), ErrClosed) || result(t, i, request("x", "")) != "failed: "+peer.ErrGone.Error() {
		t.Errorf("after Close: %v", i.Err())
	}
}

func TestHTTPSessionEnds(t *testing.T) {
	for name, body := range map[string]string{
		"text":      "not found",
		"nameless":  `{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}`,
		"other id":  `{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}`,
		"empty":     "",
		"not valid": "{",
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", jsonType)
				if m := received(t, r); m.Method == protocol.Initialize {
					w.Header().Set(sessionHeader, "s")
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
					return
				}
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, body)
			})
			i := connect(t, HTTP{URL: url}, &notes{})
			result(t, i, request(protocol.Initialize, "{}"))
			if got := result(t, i, request("x", "")); got != "failed: "+peer.ErrGone.Error() {
				t.Errorf("got %s", got)
			}
			awaitDone(t, i)
			if err := i.Err(); !errors.Is(err, errSessionEnded) {
				t.Errorf("the connection ended with %v", err)
			}
		})
	}
}

func TestHTTPBadSessionIsRefused(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set(sessionHeader, strings.Repeat("s", 5000))
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, received(t, r).ID.Raw())
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	if got := result(t, i, request(protocol.Initialize, "{}")); got != "failed: "+peer.ErrBadAnswer.Error() {
		t.Errorf("got %s", got)
	}
}

// TestHTTPStreamIsContinued lets the stream of a call break off: the relay asks
// for the rest and does not send the call again.
func TestHTTPStreamIsContinued(t *testing.T) {
	var posts, gets atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", streamType)
		switch {
		case r.Method == http.MethodPost:
			received(t, r)
			posts.Add(1)
			_, _ = io.WriteString(w, "id: a\nretry: 1\ndata:\n\n")
		case r.Header.Get(positionHeader) == "a":
			gets.Add(1)
			_, _ = io.WriteString(w, "id: b\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n\n")
		case r.Header.Get(positionHeader) == "b":
			gets.Add(1)
			_, _ = io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n\n")
		default:
			t.Errorf("position %q", r.Header.Get(positionHeader))
		}
	})
	var n notes
	i := connect(t, HTTP{URL: url}, &n)
	if got := result(t, i, request("x", "")); got != "1" || posts.Load() != 1 || gets.Load() != 2 {
		t.Errorf("got %s after %d posts and %d gets", got, posts.Load(), gets.Load())
	}
	n.eventually(t, "notification n ")
}

func TestHTTPListens(t *testing.T) {
	var gets atomic.Int32
	answered := make(chan jsonrpc.Message, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			m := received(t, r)
			w.WriteHeader(http.StatusAccepted)
			if m.Method == "" {
				answered <- m
			}
			return
		}
		w.Header().Set("Content-Type", streamType)
		if gets.Add(1) == 1 { // breaks off
			_, _ = io.WriteString(w, "id: 7\nretry: 1\ndata: {\"jsonrpc\":\"2.0\",\"id\":5,\"result\":1}\n\n")
			return
		}
		_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"roots/list\",\"params\":{\"after\":%q}}\n\n", r.Header.Get(positionHeader))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	n := &notes{}
	i := connect(t, HTTP{URL: url}, n)
	n.on = func(m jsonrpc.Message) {
		if err := i.Answer(m.ID, peer.Clear(peer.Result, m.Method, []byte(`{"roots":[]}`))); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := i.Notify(request(protocol.Initialized, "")); err != nil {
			t.Fatal(err)
		}
	}
	n.eventually(t, "anomaly "+peer.AnomalyUnasked, `request "q" roots/list {"after":"7"}`)
	select {
	case m := <-answered:
		if m.ID != jsonrpc.StringID("q") || string(m.Result) != `{"roots":[]}` {
			t.Errorf("the server got %s", m.Frame)
		}
	case <-time.After(patience):
		t.Error("the server got no answer")
	}
}

func TestHTTPNoticesDoNotWait(t *testing.T) {
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	i := connect(t, HTTP{URL: url}, &notes{})
	for name, send := range map[string]func() error{
		"notifications": func() error { return i.Notify(request("n", "")) },
		"answers":       func() error { return i.Answer(jsonrpc.IntID(1), peer.Clear(peer.Result, "ping", []byte("{}"))) },
	} {
		var err error
		for range 2 * pendingNotices {
			if err = send(); err != nil {
				break
			}
		}
		if !errors.Is(err, peer.ErrBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
