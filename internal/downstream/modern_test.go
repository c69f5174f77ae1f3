package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// modern connects in the modern era.
func modern(t *testing.T, s HTTP, h peer.Handler) *httpInstance {
	t.Helper()
	i := connect(t, s, h)
	i.SetProtocolVersion(protocol.LatestModern)
	return i
}

// say writes an event with a message and sends it off.
func say(w http.ResponseWriter, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "data: "+format+"\n\n", args...)
	_ = http.NewResponseController(w).Flush()
}

// requests notes what a server was asked.
type requests struct {
	mu   sync.Mutex
	list []*http.Request
}

func (q *requests) note(r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, r)
}

func (q *requests) all() []*http.Request {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.list)
}

// mirrorHeaders returns the headers of a request that say what its body says.
func mirrorHeaders(r *http.Request) string {
	var list []string
	for name := range maps.Keys(r.Header) {
		if strings.HasPrefix(name, "Mcp-") {
			list = append(list, name+"="+strings.Join(r.Header[name], "|"))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestModernHeaders(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		seen.note(r)
		w.Header().Set("Content-Type", jsonType)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	i.SetMirrors(map[string][]protocol.Mirror{"sql": {
		{Header: "Region", Path: []string{"region"}, Type: "string"},
		{Header: "depth", Path: []string{"where", "depth"}, Type: "integer"},
	}})
	for _, tt := range []struct{ method, params, want string }{
		{"server/discover", `{` + meta + `}`, "Mcp-Method=server/discover"},
		{"tools/list", `{` + meta + `,"name":"x"}`, "Mcp-Method=tools/list"},
		{"tools/call", `{"name":"other","arguments":{"region":"eu"},` + meta + `}`, "Mcp-Method=tools/call Mcp-Name=other"},
		{
			"tools/call", `{"name":"sql","arguments":{"region":"eu","where":{"depth":7}},` + meta + `}`,
			"Mcp-Method=tools/call Mcp-Name=sql Mcp-Param-Depth=7 Mcp-Param-Region=eu",
		},
		{"tools/call", `{"name":"sql","arguments":{"region":null},` + meta + `}`, "Mcp-Method=tools/call Mcp-Name=sql"},
		{
			"tools/call", `{"name":"sql","arguments":{"region":"a\r\nX-Evil: b"},` + meta + `}`,
			"Mcp-Method=tools/call Mcp-Name=sql Mcp-Param-Region==?base64?YQ0KWC1FdmlsOiBi?=",
		},
		{"resources/read", `{"uri":"file:///ü",` + meta + `}`, "Mcp-Method=resources/read Mcp-Name==?base64?ZmlsZTovLy/DvA==?="},
		{"prompts/get", `{"name":"p",` + meta + `}`, "Mcp-Method=prompts/get Mcp-Name=p"},
		{"odd\r\nmethod", `{` + meta + `}`, "Mcp-Method==?base64?b2RkDQptZXRob2Q=?="},
	} {
		before := len(seen.all())
		if got := result(t, i, request(tt.method, tt.params)); got != "{}" {
			t.Errorf("%s: %s", tt.params, got)
		}
		all := seen.all()
		if len(all) != before+1 {
			t.Fatalf("%s: %d requests", tt.params, len(all)-before)
		}
		if got := mirrorHeaders(all[before]); !sameHeaders(got, tt.want+" Mcp-Protocol-Version=2026-07-28") {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.method, tt.params, got, tt.want)
		}
		if all[before].Header.Get("X-Evil") != "" {
			t.Error("a value became a header")
		}
	}
}

func sameHeaders(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// TestModernHeadersSayWhatLeaves redacts a secret in the arguments, as the gate
// does, and looks for it in everything that reaches the server.
func TestModernHeadersSayWhatLeaves(t *testing.T) {
	var everything strings.Builder
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.Header.Write(&everything)
		body, _ := io.ReadAll(r.Body)
		everything.Write(body)
		w.WriteHeader(http.StatusBadRequest)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	i.SetMirrors(map[string][]protocol.Mirror{"sql": {{Header: "Key", Path: []string{"key"}, Type: "string"}}})
	came := []byte(`{"name":"sql","arguments":{"key":"sk-canary"},` + meta + `}`)
	arguments, _ := jsonrpc.Member(came, "arguments")
	leaves := jsonrpc.SetMember(came, "arguments", jsonrpc.SetMember(arguments, "key", []byte(`"[redacted:secret#1]"`)))
	result(t, i, request("tools/call", string(leaves)))
	if got := everything.String(); strings.Contains(got, "canary") || !strings.Contains(got, "Mcp-Param-Key: [redacted:secret#1]") {
		t.Errorf("the server got\n%s", got)
	}
}

// TestModernVersionIsTheMessages sends a message that says another version than
// the connection: header and body must agree, or the server refuses it.
func TestModernVersionIsTheMessages(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.WriteHeader(http.StatusAccepted)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	result(t, i, request("x", strings.ReplaceAll(`{`+meta+`}`, "2026-07-28", "2027-01-01")))
	result(t, i, request("x", `{}`))
	var got []string
	for _, r := range seen.all() {
		got = append(got, r.Header.Get(versionHeader))
	}
	if !slices.Equal(got, []string{"2027-01-01", "2026-07-28"}) {
		t.Errorf("versions %q", got)
	}
}

func TestModernHasNoSession(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.Header().Set(sessionHeader, "evil")
		w.Header().Set("Content-Type", jsonType)
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if m := received(t, r); !m.ID.IsZero() {
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	for _, method := range []string{protocol.Discover, protocol.Initialize, "x"} {
		if got := result(t, i, request(method, `{`+meta+`}`)); got != "{}" {
			t.Errorf("%s: %s", method, got)
		}
	}
	for _, method := range []string{protocol.Initialized, protocol.Cancelled, "notifications/x"} {
		if err := i.Notify(request(method, `{}`)); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	result(t, i, request("last", `{`+meta+`}`)) // the notifications were sent before
	if err := i.Answer(jsonrpc.IntID(1), peer.Clear(peer.Result, "ping", []byte("{}"))); !errors.Is(err, peer.ErrNotSent) {
		t.Errorf("an answer: %v", err)
	}
	i.Close(patience)
	var got []string
	for _, r := range seen.all() {
		got = append(got, r.Method+" "+r.Header.Get("Mcp-Method"))
		if r.Header.Get(sessionHeader) != "" {
			t.Errorf("%s is in a session", got[len(got)-1])
		}
	}
	want := []string{
		"POST server/discover", "POST initialize", "POST x", "POST notifications/initialized", "POST notifications/x", "POST last",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the server saw %q, want %q", got, want)
	}
}

func TestModernRefusalsAreAnswers(t *testing.T) {
	const refused = "failed: the server refused the request: HTTP status "
	for _, tt := range []struct {
		name, body, want string
		status           int
	}{
		{"own id", `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}`, `error: {"code":-32601,"message":"m"}`, 404},
		{"null id", `{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"m"}}`, `error: {"code":-32022,"message":"m"}`, 400},
		{"no id", `{"jsonrpc":"2.0","error":{"code":-32020,"message":"m"}}`, `error: {"code":-32020,"message":"m"}`, 400},
		{"foreign id", `{"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"m"}}`, refused + "400", 400},
		{"not found", "CANARY", refused + "404", 404},
		{"a result", `{"jsonrpc":"2.0","id":1,"result":{}}`, refused + "400", 400},
		{"duplicate", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"code":2,"message":"m"}}`, refused + "400", 400},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		i := modern(t, HTTP{URL: url}, &notes{})
		if got := result(t, i, request("x", `{`+meta+`}`)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if i.Err() != nil {
			t.Errorf("%s: the connection ended: %v", tt.name, i.Err())
		}
	}
}

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

// TestProbeLeavesNothing goes through the eras on one connection: each begins as
// if nothing had been before.
func TestProbeLeavesNothing(t *testing.T) {
	var seen requests
	listening, left := make(chan struct{}, 1), make(chan struct{}, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.Header().Set("Content-Type", jsonType)
		switch r.Method {
		case http.MethodGet:
			w.Header().Set("Content-Type", streamType)
			_ = http.NewResponseController(w).Flush()
			listening <- struct{}{}
			<-r.Context().Done()
			left <- struct{}{}
		case http.MethodPost:
			m := received(t, r)
			switch {
			case m.ID.IsZero():
				w.WriteHeader(http.StatusAccepted)
			case m.Method == protocol.Discover:
				w.WriteHeader(http.StatusNotFound)
			default:
				w.Header().Set(sessionHeader, "s")
				_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
			}
		}
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	result(t, i, request(protocol.Discover, `{`+meta+`}`))
	for range 2 {
		i.SetProtocolVersion("")
		result(t, i, request(protocol.Initialize, `{}`))
		i.SetProtocolVersion("2025-06-18")
		if err := i.Notify(request(protocol.Initialized, "")); err != nil {
			t.Fatal(err)
		}
		receive(t, listening)
		result(t, i, request("x", `{}`))
		i.SetProtocolVersion("")
		receive(t, left)
	}
	i.SetProtocolVersion(protocol.LatestModern)
	result(t, i, request("y", `{`+meta+`}`))
	var got []string
	deletes := 0
	for _, r := range seen.all() {
		if r.Method == http.MethodDelete { // nothing waits for it
			deletes++
			continue
		}
		got = append(got, fmt.Sprint(r.Method, " ", mirrorHeaders(r)))
	}
	handshake := []string{
		"POST ", "POST Mcp-Protocol-Version=2025-06-18 Mcp-Session-Id=s",
		"GET Mcp-Protocol-Version=2025-06-18 Mcp-Session-Id=s", "POST Mcp-Protocol-Version=2025-06-18 Mcp-Session-Id=s",
	}
	want := slices.Concat([]string{"POST Mcp-Method=server/discover Mcp-Protocol-Version=2026-07-28"}, handshake, handshake,
		[]string{"POST Mcp-Method=y Mcp-Protocol-Version=2026-07-28"})
	if !slices.Equal(got, want) || deletes > 2 {
		t.Errorf("%d sessions were deleted; the server saw\n%s", deletes, strings.Join(got, "\n"))
	}
}

// TestModernRequestsOnStdio: there the era is that of the connection.
func TestModernRequestsOnStdio(t *testing.T) {
	var n notes
	i := dial(t, spec("serve"), &n)
	i.SetProtocolVersion(protocol.LatestModern)
	if got := result(t, i, request("talk", `{`+meta+`}`)); got != `"ok"` {
		t.Errorf("got %s", got)
	}
	i.SetProtocolVersion("2025-11-25")
	if got := result(t, i, request("talk", `{}`)); got != `"ok"` {
		t.Errorf("got %s", got)
	}
	const progress = `notification notifications/progress {"progress":1}`
	if got, want := n.all(), []string{progress, "anomaly request_in_modern_era", progress, "request 2 ping "}; !slices.Equal(got, want) {
		t.Errorf("the handler heard %q, want %q", got, want)
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
