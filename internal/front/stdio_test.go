package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// conn notes what it is handed.
type conn struct{ got []string }

func (c *conn) Message(m jsonrpc.Message) { c.got = append(c.got, m.Method+" "+m.ID.Raw()) }

func (c *conn) Malformed(id jsonrpc.ID, err error) {
	word := "malformed"
	if _, long := errors.AsType[*jsonrpc.TooLongError](err); long {
		word = "too long"
	}
	c.got = append(c.got, word+" "+id.Raw())
}

func serve(t *testing.T, in io.Reader) (*conn, error) {
	t.Helper()
	c := &conn{}
	err := Stdio{In: in, MaxMessage: 200, Shape: protocol.Message()}.Serve(t.Context(), c)
	return c, err
}

func TestServe(t *testing.T) {
	ping := func(id string) string { return `{"jsonrpc":"2.0","id":` + id + `,"method":"ping"}` }
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"ids of both types", ping("1") + "\n" + ping(`"1"`) + "\n", []string{`ping 1`, `ping "1"`}},
		{"CRLF and blank lines", "\r\n" + ping("1") + "\r\n\n  \n" + ping("2") + "\r\n", []string{"ping 1", "ping 2"}},
		{"CR ends no line", ping("1") + "\r" + ping("2") + "\n" + ping("3") + "\n", []string{"malformed 1", "ping 3"}},
		{"last line without LF", ping("1"), []string{"ping 1"}},
		{"half a message", ping("1") + "\n" + `{"jsonrpc":"2.0","id":2,"meth`, []string{"ping 1", "malformed 2"}},
		{"refused, then fine", strings.Join([]string{
			"nonsense", "[" + ping("1") + "]", `{"jsonrpc":"2.0","id":2,"method":"ping","Method":"x"}`,
			`{"jsonrpc":"2.0","id":3,"id":4,"method":"ping"}`, `{"jsonrpc":"2.0","id":null,"method":"ping"}`,
			"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\xff\"}", ping("6"), "",
		}, "\n"), []string{"malformed ", "malformed ", "malformed 2", "malformed ", "malformed ", "malformed 5", "ping 6"}},
		{
			"too long, then fine", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 1<<20) + "\"}}\n" + ping("2") + "\n",
			[]string{"too long 1", "ping 2"},
		},
		{"notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n", []string{"notifications/initialized "}},
	}
	for _, tt := range tests {
		for how, in := range map[string]io.Reader{
			"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				c, err := serve(t, in)
				if err != nil || !slices.Equal(c.got, tt.want) {
					t.Errorf("got %q, %v", c.got, err)
				}
			})
		}
	}
}

func TestServeReturnsWhatTheReaderMet(t *testing.T) {
	broken := errors.New("broken")
	if _, err := serve(t, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	in, client := io.Pipe()
	defer func() { _ = client.Close() }() // ends the goroutine that reads
	why := errors.New("asked to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := (Stdio{In: in, MaxMessage: 200}).Serve(ctx, &conn{}); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

// slow is a client that reads when it is told to.
type slow struct {
	mu   sync.Mutex
	got  strings.Builder
	open chan struct{}
}

func (s *slow) Write(p []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(p)
}

func TestSinkKeepsTheOrderAndWritesAllBeforeItCloses(t *testing.T) {
	out := &slow{open: make(chan struct{})}
	s := NewStdioSink(out)
	var want strings.Builder
	for i := range 100 {
		id := jsonrpc.IntID(int64(i))
		if err := s.Respond(id, peer.Clear(peer.Result, "m", fmt.Appendf(nil, "{\n\"n\":%d}", i))); err != nil {
			t.Fatal(err)
		}
		if err := s.Notify(jsonrpc.ID{}, peer.Clear(peer.Params, "n", nil)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, `{"jsonrpc":"2.0","id":%d,"result":{"n":%d}}`+"\n"+`{"jsonrpc":"2.0","method":"n"}`+"\n", i, i)
	}
	close(out.open)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := out.got.String(); got != want.String() {
		t.Errorf("got\n%s", got)
	}
	if err := s.Notify(jsonrpc.ID{}, peer.Clear(peer.Params, "n", nil)); !errors.Is(err, jsonrpc.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestSinkRefusesWhatWasNotCleared(t *testing.T) {
	var out strings.Builder
	s := NewStdioSink(&out)
	for _, err := range []error{
		s.Respond(jsonrpc.IntID(1), peer.Cleared{}), s.Notify(jsonrpc.ID{}, peer.Cleared{}),
		s.Respond(jsonrpc.IntID(1), peer.Clear(peer.Params, "m", nil)), s.Notify(jsonrpc.ID{}, peer.Clear(peer.Result, "m", []byte("{}"))),
	} {
		if !errors.Is(err, peer.ErrNotCleared) {
			t.Errorf("got %v", err)
		}
	}
	if err := s.Close(t.Context()); err != nil || out.Len() != 0 {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
}

func TestSinkDoesNotWaitForEverAtTheEnd(t *testing.T) {
	out := &slow{open: make(chan struct{})}
	defer close(out.open)
	s := NewStdioSink(out)
	if err := s.Notify(jsonrpc.ID{}, peer.Clear(peer.Params, "n", nil)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
