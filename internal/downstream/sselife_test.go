package downstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

func TestSSEEnds(t *testing.T) {
	for name, end := range map[string]func(i Instance, o *oldServer) error{
		"the stream ends": func(_ Instance, o *oldServer) error { o.end(); return errStreamEnded },
		"the session is forgotten": func(i Instance, _ *oldServer) error {
			_ = i.Notify(request("forgotten", ""))
			return errSessionEnded
		},
		"a call finds it forgotten": func(i Instance, _ *oldServer) error {
			i.Call(request("forgotten", ""), caller{answered: func(peer.Reply) {}})
			return errSessionEnded
		},
		"it is closed": func(i Instance, _ *oldServer) error { i.Close(time.Second); return ErrClosed },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{})
			o := &oldServer{post: func(w http.ResponseWriter, r *http.Request, m jsonrpc.Message, _ func(string)) {
				if m.Method == "forgotten" {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				close(arrived)
				<-r.Context().Done()
			}}
			i := old(t, o, &notes{})
			_, replies := ask(t, i, request("x", ""))
			receive(t, arrived)
			want := end(i, o)
			if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
				t.Errorf("got %+v", r)
			}
			awaitDone(t, i)
			if err := i.Err(); !errors.Is(err, want) {
				t.Errorf("the connection ended with %v", err)
			}
			if got := result(t, i, request("y", "")); got != "failed: "+peer.ErrGone.Error() {
				t.Errorf("afterwards %s", got)
			}
			if err := i.Notify(request("y", "")); !errors.Is(err, peer.ErrGone) {
				t.Errorf("afterwards %v", err)
			}
		})
	}
}

func TestSSENotCleared(t *testing.T) {
	o := &oldServer{post: func(http.ResponseWriter, *http.Request, jsonrpc.Message, func(string)) {}}
	refusesUncleared(t, old(t, o, &notes{}))
	if n := len(o.seen.all()); n != 1 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestSSEDoesNotOpen(t *testing.T) {
	l := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, tt := range []struct {
		name  string
		reply http.HandlerFunc
		want  error
	}{
		{"not there", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, peer.ErrStatus},
		{"not allowed", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "CANARY")
		}, ErrUnauthorized},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "CANARY") }, peer.ErrBadAnswer},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, l, http.StatusFound) }, peer.ErrStatus},
		{"no endpoint", streaming(""), peer.ErrBadAnswer},
		{"messages first", streaming(strings.Repeat(message(`{"jsonrpc":"2.0","method":"CANARY"}`), 100)), peer.ErrBadAnswer},
		{"an endless event", streaming(strings.Repeat("data: CANARY\n", 10000)), peer.ErrBadAnswer},
		{"a cut endpoint", streaming("event: endpoint\ndata: /CANARY\n"), peer.ErrBadAnswer},
		{"a foreign endpoint", streaming("event: endpoint\ndata: http://CANARY.example/\n\n"), peer.ErrBadAnswer},
		{"another port", streaming("event: endpoint\ndata: " + l + "/CANARY\n\n"), peer.ErrBadAnswer},
		{"two lines", streaming("event: endpoint\ndata: /a\ndata: /CANARY\n\n"), peer.ErrBadAnswer},
		{"nothing", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", streamType)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, errNotInTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := oldSettings(serve(t, tt.reply))
			if errors.Is(tt.want, errNotInTime) {
				s.OpenTimeout = 100 * time.Millisecond
			}
			i, err := s.Dial(t.Context(), &notes{})
			if err == nil {
				i.Close(0)
			}
			if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := oldSettings(l).Dial(ctx, &notes{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestSSEOutlivesTheStart ends the context that Dial got.
func TestSSEOutlivesTheStart(t *testing.T) {
	o := &oldServer{post: func(_ http.ResponseWriter, _ *http.Request, m jsonrpc.Message, say func(string)) {
		say(message(`{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw()))
	}}
	ctx, cancel := context.WithCancel(t.Context())
	s := oldSettings(serve(t, o.ServeHTTP))
	i, err := s.Dial(ctx, &notes{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close(0)
	cancel()
	if got := result(t, i, request("x", "")); got != "1" {
		t.Errorf("got %s", got)
	}
}

func streaming(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", streamType)
		_, _ = io.WriteString(w, body)
	}
}

// TestSSEPostsEnd has a server that never ends the request of a call.
func TestSSEPostsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newCalls()
		life, stop := context.WithCancel(t.Context())
		defer stop()
		var ended atomic.Bool
		i := &sseInstance{
			origin: origin{client: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				ended.Store(true)
				return nil, r.Context().Err()
			})}},
			endpoint: "http://127.0.0.1/", calls: book, inbox: inbox{calls: book, handler: &notes{}, shape: shape()}, log: quiet(),
			life: life, stop: stop, done: make(chan struct{}),
		}
		i.out = newOutbox(life, i.send)
		got := ""
		i.Call(request("x", ""), caller{answered: func(r peer.Reply) { got = string(r.Result) }})
		synctest.Wait()
		i.inbox.frame([]byte(`{"jsonrpc":"2.0","id":1,"result":1}`))
		if got != "1" || ended.Load() {
			t.Errorf("got %q, ended: %t", got, ended.Load())
		}
		time.Sleep(lingerTime)
		synctest.Wait()
		if !ended.Load() {
			t.Error("the request goes on")
		}
	})
}
