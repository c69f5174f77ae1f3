package downstream

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// FuzzInbox says anything to a connection with one open call. Whatever it is,
// each message has one effect at most, and nothing that is refused is forwarded.
func FuzzInbox(f *testing.F) {
	for _, answer := range answers {
		f.Add([]byte(strings.ReplaceAll(answer, "%[1]s", "1")))
	}
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":"cut`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, long := range []bool{false, true} {
			var n notes
			book := newCalls()
			in := inbox{calls: book, handler: &n, shape: shape()}
			var replies []peer.Reply
			book.begin(caller{answered: func(r peer.Reply) { replies = append(replies, r) }}, nil)
			if long {
				in.tooLong(frame)
			} else {
				in.frame(frame)
			}
			m, err := jsonrpc.Parse(frame, shape())
			refused := err != nil || long
			for _, line := range n.all() {
				if refused && !strings.HasPrefix(line, "anomaly ") {
					t.Fatalf("forwarded %q of %q", line, frame)
				}
			}
			if len(replies) > 1 || len(n.all()) > 1 || len(replies)+len(n.all()) == 0 {
				t.Fatalf("%q had the effects %v and %q", frame, replies, n.all())
			}
			for _, r := range replies {
				if (r.Err != nil) != refused {
					t.Fatalf("%q ended the call with %+v", frame, r)
				}
				if !refused && m.ID != jsonrpc.IntID(1) {
					t.Fatalf("%q with id %s ended call 1", frame, m.ID.Raw())
				}
			}
			if (len(replies) == 1) != (len(book.open) == 0) {
				t.Fatalf("%q: %d replies, %d open calls", frame, len(replies), len(book.open))
			}
		}
	})
}

func TestSpoiltMessages(t *testing.T) {
	for head, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 4000): "ended",
		`{"id":1, "jsonrpc":"2.0","result":{"a":`:                        "ended",
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"`:           "open",
		`{"jsonrpc":"2.0","method":"x","id":1,"params":{"a":"`:           "open",
		`{"jsonrpc":"2.0","id":2,"result":"`:                             "open",
		`{"jsonrpc":"2.0","result":{"id":1,"x":"`:                        "open",
		`{"jsonrpc":"2.0","result":"`:                                    "open",
		`{"id":1,"id":1,"result":"`:                                      "open",
		``:                                                               "open",
	} {
		book := newCalls()
		in := inbox{calls: book, handler: &notes{}, shape: shape()}
		got := "open"
		book.begin(caller{answered: func(r peer.Reply) { got = fmt.Sprintf("ended%s", r.Result) }}, nil)
		in.tooLong([]byte(head))
		if got != want {
			t.Errorf("after %.60s the call is %s, want %s", head, got, want)
		}
	}
}
