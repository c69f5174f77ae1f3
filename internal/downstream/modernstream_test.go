package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// TestModernStream is what a hostile server may say on the stream of a call.
func TestModernStream(t *testing.T) {
	const good = `data: {"jsonrpc":"2.0","id":1,"result":"ok"}` + "\n\n"
	const news = `data: {"jsonrpc":"2.0","method":"notifications/a"}` + "\n\n"
	const gone = "failed: the server is gone"
	for _, tt := range []struct{ name, body, want, heard, notes string }{
		{"news first", news + good, `"ok"`, "notification notifications/a ", ""},
		{"a request", `data: {"jsonrpc":"2.0","id":"q","method":"roots/list"}` + "\n\n" + good, `"ok"`, "", "anomaly request_in_modern_era"},
		{"a request with the call's id", `data: {"jsonrpc":"2.0","id":1,"method":"x"}` + "\n\n" + good, `"ok"`, "", "anomaly request_in_modern_era"},
		{"a request after the answer", good + `data: {"jsonrpc":"2.0","id":1,"method":"x"}` + "\n\n", `"ok"`, "", "anomaly request_in_modern_era"},
		{"news after the answer", good + news, `"ok"`, "", "anomaly " + peer.AnomalyLate},
		{"two answers", good + good, `"ok"`, "", "anomaly " + peer.AnomalyTwice},
		{"an answer to the next call", `data: {"jsonrpc":"2.0","id":2,"result":1}` + "\n\n" + good, `"ok"`, "", "anomaly " + peer.AnomalyUnasked},
		{"it breaks with a position", "id: 1\nretry: 1\n" + news, gone, "notification notifications/a ", ""},
		{"it breaks at once", "", gone, "", ""},
		{"a batch", "data: [" + good[6:len(good)-2] + "]\n\n" + good, `"ok"`, "", "anomaly " + peer.AnomalyBatch},
		{"two readings", `data: {"jsonrpc":"2.0","id":1,"result":1,"Result":2}` + "\n\n" + good, "failed: the server's answer is not a valid message", "", "anomaly " + peer.AnomalyMalformed + "|anomaly " + peer.AnomalyTwice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen requests
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				seen.note(r)
				w.Header().Set("Content-Type", streamType)
				_, _ = io.WriteString(w, tt.body)
			})
			var heard, rest notes
			i := modern(t, HTTP{URL: url}, &rest)
			_, replies := askAs(t, i, &heard, request("x", `{`+meta+`}`))
			r := await(t, replies)
			got := string(r.Result)
			if r.Err != nil {
				got = "failed: " + r.Err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.notes != "" {
				rest.eventually(t, strings.Split(tt.notes, "|")...)
			}
			if got := strings.Join(heard.all(), "|"); got != tt.heard {
				t.Errorf("the caller heard %q, want %q", got, tt.heard)
			}
			if got := strings.Join(rest.all(), "|"); got != tt.notes {
				t.Errorf("the handler heard %q, want %q", got, tt.notes)
			}
			if n := len(seen.all()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestModernAbandonClosesTheStream(t *testing.T) {
	left := make(chan struct{})
	var posts atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		received(t, r)
		posts.Add(1)
		w.Header().Set("Content-Type", streamType)
		say(w, `{"jsonrpc":"2.0","method":"notifications/a"}`)
		<-r.Context().Done()
		close(left)
	})
	heard, rest := &notes{}, &notes{}
	i := modern(t, HTTP{URL: url}, rest)
	call, replies := askAs(t, i, heard, request("tools/call", `{`+meta+`}`))
	heard.eventually(t, "notification notifications/a")
	call.Abandon(context.Canceled)
	if err := i.Notify(request(protocol.Cancelled, `{"requestId":`+call.ID().Raw()+`}`)); err != nil {
		t.Error(err)
	}
	if r := await(t, replies); !errors.Is(r.Err, context.Canceled) {
		t.Errorf("got %+v", r)
	}
	receive(t, left)
	if posts.Load() != 1 || len(rest.all()) != 0 {
		t.Errorf("%d posts; the handler heard %q", posts.Load(), rest.all())
	}
}

// TestAbandonedStream reads what had arrived when the caller gave up.
func TestAbandonedStream(t *testing.T) {
	for _, isModern := range []bool{false, true} {
		var heard, rest notes
		book := newCalls()
		c, _ := book.begin(caller{talk: &heard, answered: func(peer.Reply) {}}, nil)
		c.Abandon(context.Canceled)
		s := stream{events: events{limit: 1000}, inbox: &inbox{calls: book, handler: &rest, shape: shape()}, call: c, modern: isModern}
		err := s.consume(io.NopCloser(strings.NewReader(`data: {"jsonrpc":"2.0","method":"n"}` + "\n\n")))
		if !errors.Is(err, errAbandoned) || len(heard.all())+len(rest.all()) != 0 {
			t.Errorf("%v; the caller heard %q, the handler %q", err, heard.all(), rest.all())
		}
	}
}

// TestModernListen sends more on a subscription than any other call may get.
func TestModernListen(t *testing.T) {
	const events = 300
	release := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding: %q", got)
		}
		w.Header().Set("Content-Type", streamType)
		for n := range events {
			say(w, `{"jsonrpc":"2.0","method":"n","params":{"n":%d,"x":%q}}`, n, strings.Repeat("x", 200))
		}
		<-release
		if strings.Contains(string(m.Params), "graceful") {
			say(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
		}
	})
	for _, end := range []string{"graceful", "broken"} {
		heard, rest := &notes{}, &notes{}
		i := modern(t, HTTP{URL: url, MaxMessage: 1 << 10, MaxEvents: 10}, rest)
		_, replies := askAs(t, i, heard, request(protocol.Listen, `{"end":"`+end+`",`+meta+`}`))
		heard.eventually(t, fmt.Sprintf(`"n":%d,`, events-1))
		for n, line := range heard.all() {
			if !strings.Contains(line, fmt.Sprintf(`"n":%d,`, n)) {
				t.Fatalf("event %d is %s", n, line)
			}
		}
		select {
		case r := <-replies:
			t.Fatalf("it ended with %+v", r)
		default:
		}
		if end == "graceful" {
			release <- struct{}{}
			if r := await(t, replies); string(r.Result) != "{}" {
				t.Errorf("got %+v", r)
			}
		} else {
			close(release)
			if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
				t.Errorf("got %+v", r)
			}
		}
		if got := rest.all(); len(got) != 0 {
			t.Errorf("the handler heard %q", got)
		}
	}
}

// TestLegacyHasNoEndlessCalls: only the modern era knows the method.
func TestLegacyHasNoEndlessCalls(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", streamType)
		for range 50 {
			say(w, `{"jsonrpc":"2.0","method":"n"}`)
		}
	})
	i := connect(t, HTTP{URL: url, MaxEvents: 10}, &notes{})
	if got := result(t, i, request(protocol.Listen, `{}`)); got != "failed: "+peer.ErrTooLong.Error() {
		t.Errorf("got %s", got)
	}
}

// FuzzModernAnswer lets a server answer a modern call with anything.
func FuzzModernAnswer(f *testing.F) {
	for _, answer := range answers {
		f.Add([]byte("data: "+strings.ReplaceAll(strings.ReplaceAll(answer, "%[1]s", "1"), "\n", "\n\ndata: ")+"\n\n"), true, uint16(200))
		f.Add([]byte(strings.ReplaceAll(answer, "%[1]s", "1")), false, uint16(404))
	}
	f.Add([]byte("id: 1\nevent: message\ndata: {}\n\n"), true, uint16(200))
	f.Fuzz(func(t *testing.T, body []byte, isStream bool, status uint16) {
		media := jsonType
		if isStream {
			media = streamType
		}
		var n notes
		calls := 0
		book := newCalls()
		i := &httpInstance{
			settings: HTTP{MaxMessage: 1 << 10, MaxEvents: 20},
			origin: origin{client: &http.Client{
				Transport: tripper(func(r *http.Request) (*http.Response, error) {
					calls++
					return &http.Response{
						StatusCode: 100 + int(status)%500, Header: http.Header{"Content-Type": {media}, sessionHeader: {"s"}},
						Body: io.NopCloser(strings.NewReader(string(body))), Request: r,
					}, nil
				}),
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}},
			address: "http://127.0.0.1/", calls: book, inbox: inbox{calls: book, handler: &n, shape: shape()}, log: quiet(),
			life: t.Context(), stop: func() {}, done: make(chan struct{}),
		}
		i.SetProtocolVersion(protocol.LatestModern)
		var replies []peer.Reply
		var heard notes
		ctx, cancel := context.WithCancel(t.Context())
		c, _ := book.begin(caller{talk: &heard, answered: func(r peer.Reply) { replies = append(replies, r) }}, cancel)
		x := exchange{httpInstance: i, call: c, content: request("x", `{`+meta+`}`), terms: i.terms(), cancel: cancel}
		x.run(ctx, []byte(`{}`))
		cancel()
		if len(replies) != 1 || calls != 1 {
			t.Fatalf("%d replies after %d requests", len(replies), calls)
		}
		if i.terms().session != "" || i.Err() != nil {
			t.Fatalf("session %q, %v", i.terms().session, i.Err())
		}
		for _, line := range heard.all() {
			if !strings.HasPrefix(line, "notification ") {
				t.Fatalf("the caller heard %q", line)
			}
		}
		for _, line := range n.all() {
			if !strings.HasPrefix(line, "anomaly ") {
				t.Fatalf("the handler heard %q", line)
			}
		}
	})
}

// tripper is a http.RoundTripper made of a function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
