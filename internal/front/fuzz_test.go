package front

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// yes is a host whose clients answer everything at once.
type yes struct{ fuzzed *testing.T }

type yesClient struct {
	yes
	sink peer.Sink
}

func (y yes) Connect(_ context.Context, _ peer.Hello, sink peer.Sink) (Client, error) {
	return yesClient{y, sink}, nil
}

func (yes) Refusal(int, string) peer.Cleared { return failure(-32600) }

func (c yesClient) Message(m jsonrpc.Message) {
	if m.Kind() != jsonrpc.Request {
		return
	}
	if strings.HasPrefix(m.Method, "n") {
		_ = c.sink.Notify(m.ID, note("n", "{\n}"))
	}
	if err := c.sink.Respond(m.ID, result("{}")); err != nil {
		c.fuzzed.Errorf("the answer was refused: %v", err)
	}
}

func (yesClient) Malformed(jsonrpc.ID, error) {}

func (yesClient) Drain(context.Context) error { return nil }

func (yesClient) Close() {}

// FuzzHandler sends one request after a handshake. Whatever it is, the answer
// is one that HTTP and JSON-RPC know, and nothing panics or hangs.
func FuzzHandler(f *testing.F) {
	modern, _ := modernCall("1", "echo")
	for _, body := range []string{modern, legacyCall("1", "n"), legacyCall("0", "initialize"), "[]", "{}", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`} {
		f.Add("POST", "/mcp", "application/json", "2026-07-28", "echo", "", body)
		f.Add("POST", "/mcp", "application/json", "2025-11-25", "", "", body)
		f.Add("POST", "/messages?sessionId=x", "application/json", "", "", "", body)
	}
	f.Add("GET", "/mcp", "", "2025-11-25", "", "0-0", "")
	f.Add("DELETE", "/mcp", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, method, path, media, version, name, last, body string) {
		h := NewHandler(HandlerOptions{Host: yes{t}, Log: quietTo(&logBuffer{}), MaxMessage: 1 << 16, Shape: protocol.Message()})
		defer h.Close()
		ctx, cancel := context.WithCancel(contextWith(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}))
		defer cancel()
		send := func(method, path, body string, headers ...string) *httptest.ResponseRecorder {
			r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, strings.NewReader(body))
			if err != nil {
				return nil
			}
			r.Host = "localhost"
			for i := 0; i < len(headers); i += 2 {
				if headers[i+1] != "" {
					r.Header.Set(headers[i], headers[i+1])
				}
			}
			if r.Method == http.MethodGet {
				cancel() // its stream has no end of its own
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		started := send("POST", "/mcp", legacyCall("0", "initialize"), "Content-Type", "application/json")
		session := started.Header().Get("Mcp-Session-Id")
		if session == "" {
			t.Fatal("no session")
		}
		w := send(method, path, body, "Content-Type", media, "MCP-Protocol-Version", version, "Mcp-Method", name,
			"Mcp-Name", name, "Last-Event-ID", last, "Mcp-Session-Id", session, "Accept", "*/*")
		if w == nil {
			return
		}
		switch w.Header().Get("Content-Type") {
		case "application/json":
			if !json.Valid(w.Body.Bytes()) {
				t.Errorf("no JSON: %q", w.Body)
			}
		case "text/event-stream":
			for line := range bytes.SplitSeq(w.Body.Bytes(), []byte("\n")) {
				if data, ok := bytes.CutPrefix(line, []byte("data: {")); ok && !json.Valid(append([]byte("{"), data...)) {
					t.Errorf("no JSON: %q", line)
				}
			}
		}
		if w.Code < 200 || w.Code > 503 {
			t.Errorf("status %d", w.Code)
		}
	})
}

func FuzzAccept(f *testing.F) {
	f.Add("application/json, text/event-stream;q=0")
	f.Fuzz(func(_ *testing.T, value string) {
		h := http.Header{"Accept": {value}, "Content-Type": {value}}
		acceptedBy(h)
		sendsJSON(h)
		g := &guard{}
		r := httptest.NewRequest("GET", "/", http.NoBody)
		r.Host, r.Header["Origin"] = value, []string{value}
		r = atAddress(r, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})
		g.local(r)
		if number, seq, ok := parseEventID(value); ok && number > 1<<62 && seq > 1<<62 {
			return
		}
	})
}
