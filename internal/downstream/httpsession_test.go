package downstream

import (
	"errors"
	"fmt"
	"io"
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
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then net/http notices that the client goes away
		<-r.Context().Done()
	})
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
