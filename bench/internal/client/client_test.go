package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
	"github.com/mcp-relay/relay/bench/internal/payload"
	"github.com/mcp-relay/relay/bench/internal/server"
)

func pipes(t *testing.T) (cr, cw, sr, sw *os.File) {
	t.Helper()
	sr, cw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cr, sw, err = os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return cr, cw, sr, sw
}

func stdioPair(t *testing.T, lanes int, opt server.Options) *Client {
	cr, cw, sr, sw := pipes(t)
	go func() {
		_ = server.New(opt).ServeStdio(sr, sw)
		_ = sw.Close()
	}()
	c := Stdio(cr, cw, lanes)
	t.Cleanup(c.Close)
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	return c
}

func httpPair(t *testing.T, lanes int, opt server.HTTPOptions) *Client {
	ts := httptest.NewServer(server.Handler(opt))
	t.Cleanup(ts.Close)
	c, err := HTTP(ts.URL+"/mcp", nil, lanes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	return c
}

// Every transport and era must keep concurrent calls apart.
func TestConcurrentCalls(t *testing.T) {
	const lanes = 4
	for _, version := range []string{"2025-06-18", "2025-11-25", Modern, "auto"} {
		for name, c := range map[string]*Client{
			"stdio":    stdioPair(t, lanes, server.Options{Tools: 3}),
			"http":     httpPair(t, lanes, server.HTTPOptions{Options: server.Options{Tools: 3}}),
			"sse":      httpPair(t, lanes, server.HTTPOptions{Options: server.Options{Tools: 3}, SSE: true}),
			"sessions": httpPair(t, lanes, server.HTTPOptions{Options: server.Options{Tools: 3}, Sessions: true}),
		} {
			if err := c.Start(version); err != nil {
				t.Fatalf("%s %s: %v", name, version, err)
			}
			want := version
			if version == "auto" {
				want = Modern
			}
			if c.Version != want {
				t.Errorf("%s: asked for %s, got %s", name, version, c.Version)
			}
			if n, _, err := c.List(0, 50, nil); err != nil || n != 6 {
				t.Errorf("%s: %d tools, %v", name, n, err)
			}
			var wg sync.WaitGroup
			for lane := range lanes {
				wg.Go(func() {
					var scratch []byte
					for i := range 9 {
						id := int64(1000 + lane*1000 + i)
						size := []int{30, 3000, 70_000}[i%3]
						res, _, err := c.Call(lane, id, "tools/call", "blob", fmt.Appendf(nil, `"name":"blob","arguments":{"size":%d,"seed":%d}`, size, id))
						if err != nil {
							t.Errorf("%s: %v", name, err)
							return
						}
						var text []byte
						_ = jscan.Members(jscan.First(jscan.Get(res, "content")), func(k, rest []byte) bool {
							text = rest
							return string(k) != "text"
						})
						if !payload.Match(text, size, uint64(id), &scratch) {
							t.Errorf("%s: call %d got another text", name, id)
						}
					}
				})
			}
			wg.Wait()
		}
	}
}

func TestLegacyFallback(t *testing.T) {
	c := stdioPair(t, 1, server.Options{Era: "legacy"})
	if err := c.Start("auto"); err != nil || c.Version != "2025-11-25" {
		t.Errorf("version %q, %v", c.Version, err)
	}
	c = stdioPair(t, 1, server.Options{Era: "legacy"})
	if err := c.Start(Modern); err == nil {
		t.Error("a legacy server passed for a modern one")
	}
}

func TestRPCError(t *testing.T) {
	for _, c := range []*Client{stdioPair(t, 1, server.Options{}), httpPair(t, 1, server.HTTPOptions{})} {
		_, _, err := c.Call(0, 9, "tools/call", "none", []byte(`"name":"none"`))
		var rpc *RPCError
		if !errors.As(err, &rpc) || !strings.Contains(rpc.Raw, "Unknown tool") {
			t.Errorf("got %v", err)
		}
	}
}

// A relay's ping must be answered, its notifications ignored, and responses to
// unknown ids counted rather than believed.
func TestStdioInterleaving(t *testing.T) {
	cr, cw, sr, sw := pipes(t)
	got := make(chan string, 1)
	go func() {
		in := bufio.NewReader(sr)
		_, _ = in.ReadString('\n')
		fmt.Fprintln(sw, `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`)
		fmt.Fprintln(sw, `{"jsonrpc":"2.0","id":"srv-1","method":"ping"}`)
		fmt.Fprintln(sw, `{"jsonrpc":"2.0","id":77,"result":{"wrong":true}}`)
		pong, _ := in.ReadString('\n')
		got <- pong
		fmt.Fprintln(sw, `{"result":{"ok":1},"jsonrpc":"2.0","id":5}`)
		_ = sw.Close()
	}()
	c := Stdio(cr, cw, 1)
	c.SetDeadline(time.Now().Add(10 * time.Second))
	res, _, err := c.Call(0, 5, "x", "", nil)
	if err != nil || string(jscan.Get(res, "ok")) != "1" {
		t.Errorf("%s, %v", res, err)
	}
	if pong := <-got; !strings.Contains(pong, `"srv-1"`) {
		t.Errorf("ping answered with %q", pong)
	}
	if n := c.Unexpected(); n != 1 {
		t.Errorf("%d unexpected messages", n)
	}
	if _, _, err := c.Call(0, 6, "x", "", nil); err == nil {
		t.Error("a call on a closed pipe succeeded")
	}
}

func TestDeadlineEndsALostCall(t *testing.T) {
	cr, cw, sr, _ := pipes(t)
	go func() { _, _ = bufio.NewReader(sr).WriteTo(&bytes.Buffer{}) }()
	c := Stdio(cr, cw, 2)
	c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	var wg sync.WaitGroup
	for lane := range 2 {
		wg.Go(func() {
			if _, _, err := c.Call(lane, int64(lane), "x", "", nil); err == nil {
				t.Error("no error")
			}
		})
	}
	wg.Wait()
}

func TestHTTPWrongIDAndChunkedEvents(t *testing.T) {
	n := 0
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		switch n {
		case 1:
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":999,"result":{}}`)
		case 2:
			w.Header().Set("Content-Type", "text/event-stream")
			for _, s := range []string{": hello\n\n", "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n", "event: message\nid: 3\ndata: {\"jsonrpc\":\"2.0\",\n", "data: \"id\":2,\"result\":{\"ok\":true}}\n\n"} {
				fmt.Fprint(w, s)
				w.(http.Flusher).Flush()
			}
		case 3:
			http.Error(w, "down", http.StatusBadGateway)
		}
	}))
	defer ts.Close()
	c, _ := HTTP(ts.URL+"/mcp", nil, 1)
	defer c.Close()
	if _, _, err := c.Call(0, 1, "x", "", nil); err == nil || !strings.Contains(err.Error(), "want 1") {
		t.Errorf("wrong id: %v", err)
	}
	if res, _, err := c.Call(0, 2, "x", "", nil); err != nil || string(jscan.Get(res, "ok")) != "true" {
		t.Errorf("events: %s, %v", res, err)
	}
	if _, _, err := c.Call(0, 3, "x", "", nil); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("bad gateway: %v", err)
	}
}

func TestFindTool(t *testing.T) {
	for name, want := range map[string]bool{"echo": true, "s1_echo": true, "a/echo": true, "reecho": false, "echo_1": false} {
		if FindTool(name, "echo") != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
