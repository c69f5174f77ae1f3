package front

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// prompt is a host whose clients answer everything at once, or from another
// goroutine, as a server's answer comes.
type prompt struct{ elsewhere chan func() }

type promptClient struct {
	prompt
	sink peer.Sink
}

func (p prompt) Connect(_ context.Context, _ peer.Hello, sink peer.Sink) (Client, error) {
	return promptClient{p, sink}, nil
}

func (prompt) Refusal(int, string) peer.Cleared { return failure(-32600) }

func (c promptClient) Message(m jsonrpc.Message) {
	respond := func() { _ = c.sink.Respond(m.ID, result(`{"content":[{"type":"text","text":"hello"}]}`)) }
	if c.elsewhere == nil {
		respond()
		return
	}
	c.elsewhere <- respond
}

func (promptClient) Malformed(jsonrpc.ID, error) {}

func (promptClient) Drain(context.Context) error { return nil }

func (promptClient) Close() {}

// BenchmarkCall is one call over a connection that is open, against a handler
// that does nothing but read the body and answer.
func BenchmarkCall(b *testing.B) {
	modern, headers := modernCall("1", "tools/call")
	modern = strings.Replace(modern, `"params":{`, `"params":{"name":"t","arguments":{"text":"hello"},`, 1)
	headers = append(headers, "Mcp-Name", "t")
	elsewhere := make(chan func())
	go func() {
		for f := range elsewhere {
			f()
		}
	}()
	defer close(elsewhere)
	plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hello"}]}}`))
	})
	handler := func(p prompt) http.Handler {
		return NewHandler(HandlerOptions{Host: p, Log: slog.New(slog.DiscardHandler), MaxMessage: 1 << 20, Shape: protocol.Message()})
	}
	for _, bb := range []struct {
		name    string
		handler http.Handler
		legacy  bool
	}{
		{"floor", plain, false}, {"modern", handler(prompt{}), false}, {"modern/elsewhere", handler(prompt{elsewhere}), false},
		{"legacy", handler(prompt{}), true}, {"legacy/elsewhere", handler(prompt{elsewhere}), true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l, err := ListenTCP(b.Context(), "127.0.0.1:0", false)
			if err != nil {
				b.Fatal(err)
			}
			server := &http.Server{Handler: bb.handler}
			go func() { _ = server.Serve(l) }()
			defer func() { _ = server.Close() }()
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			session := ""
			send := func(body string) {
				r, err := http.NewRequestWithContext(b.Context(), "POST", "http://"+l.Addr().String()+"/mcp", strings.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", "application/json, text/event-stream")
				if session != "" {
					r.Header.Set("Mcp-Session-Id", session)
				}
				for i := 0; !bb.legacy && i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
				resp, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != 200 {
					b.Fatal(resp.Status)
				}
				session = resp.Header.Get("Mcp-Session-Id")
			}
			body := modern
			if bb.legacy {
				send(legacyCall("0", "initialize"))
				kept := session
				body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"text":"hello"}}}`
				b.ReportAllocs()
				for b.Loop() {
					session = kept
					send(body)
				}
				return
			}
			b.ReportAllocs()
			for b.Loop() {
				send(body)
			}
		})
	}
}
