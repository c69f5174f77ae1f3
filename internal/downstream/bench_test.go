package downstream

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// BenchmarkStdioCall is a round trip to a child that echoes 200 bytes.
func BenchmarkStdioCall(b *testing.B) {
	s := spec("serve")
	i, err := s.Dial(b.Context(), &notes{})
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close(time.Second)
	benchmarkCall(b, i)
}

// BenchmarkHTTPCall is a round trip to a server in the same process, whose cost
// is part of it.
func BenchmarkHTTPCall(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, _ := jsonrpc.Parse(body, nil)
		w.Header().Set("Content-Type", jsonType)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID.Raw(), m.Params)
	}))
	defer server.Close()
	i, err := HTTP{URL: server.URL, MaxMessage: 1 << 20, Shape: shape(), Log: quiet()}.Dial(b.Context(), &notes{})
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close(time.Second)
	benchmarkCall(b, i)
}

func benchmarkCall(b *testing.B, i Instance) {
	b.Helper()
	c := request("echo", `{"name":"read","arguments":{"path":"`+strings.Repeat("x", 160)+`"}}`)
	done := make(chan peer.Reply, 1)
	b.ReportAllocs()
	for b.Loop() {
		i.Call(c, caller{answered: func(r peer.Reply) { done <- r }})
		if r := <-done; r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}

// BenchmarkAnswer is what an answer costs between the frame and the
// continuation: one parse, one look into the book.
func BenchmarkAnswer(b *testing.B) {
	book := newCalls()
	in := inbox{calls: book, handler: &notes{}, shape: shape()}
	then := func(peer.Reply) {}
	body := `,"result":{"content":[{"type":"text","text":"` + strings.Repeat("x", 2000) + `"}]}}`
	var frame []byte
	b.ReportAllocs()
	for b.Loop() {
		c, _ := book.begin(caller{answered: then}, nil)
		frame = append(append(append(frame[:0], `{"jsonrpc":"2.0","id":`...), c.ID().Raw()...), body...)
		in.frame(frame)
	}
	if len(book.open) != 0 {
		b.Fatal("calls were not answered")
	}
}
