package downstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
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

// TestHTTPNeverTwice uses servers that read a call and close the connection, on

// a new connection and on one that was used before.

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
	i := connect(t, HTTP{URL: url, HeaderTimeout: 500 * time.Millisecond}, &notes{})
	_, replies := ask(t, i, request("x", ""))
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
		t.Errorf("got %+v", r)
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

// TestHTTPStreamIsContinued lets the stream of a call break off: the relay asks

// for the rest and does not send the call again.
