package downstream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mcp-relay/relay/internal/peer"
)

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
			i.origin.headers.Set(header, "1") // past the check of the configuration
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
