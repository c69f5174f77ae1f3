package downstream

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// TestFloods exceeds each limit of an answer. That ends the call, and nothing
// but the call.
func TestFloods(t *testing.T) {
	const limit = 4 << 10
	news := `data: {"jsonrpc":"2.0","method":"n"}` + "\n\n"
	big := `data: {"jsonrpc":"2.0","method":"n","params":["` + strings.Repeat("x", limit-100) + `"]}` + "\n\n"
	for _, tt := range []struct {
		name, media string
		flood       string // again and again, without an end
		want        error
	}{
		{"one message", jsonType, "[", peer.ErrTooLong},
		{"one event of one line", streamType, "data: x", peer.ErrTooLong},
		{"one event of many lines", streamType, "data: x\n", peer.ErrTooLong},
		{"one event of comments", streamType, ":\n", peer.ErrTooLong},
		{"comments", streamType, ": still there\n\n", peer.ErrTooLong},
		{"empty lines", streamType, "\r\n", peer.ErrTooLong},
		{"many events", streamType, "event: x\n\n", peer.ErrTooLong},
		{"many messages", streamType, news, peer.ErrTooLong},
		{"many big messages", streamType, big, peer.ErrTooLong},
		{"what nobody reads", "text/html", "x", peer.ErrBadAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if m := received(t, r); m.Method == "calm" {
					w.Header().Set("Content-Type", jsonType)
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw())
					return
				}
				w.Header().Set("Content-Type", tt.media)
				flood := []byte(strings.Repeat(tt.flood, 1+1000/len(tt.flood)))
				for r.Context().Err() == nil {
					if _, err := w.Write(flood); err != nil {
						return
					}
				}
			})
			for _, version := range []string{"2025-11-25", protocol.LatestModern} {
				i := connect(t, HTTP{URL: url, MaxMessage: limit, MaxEvents: 100}, &notes{})
				i.SetProtocolVersion(version)
				_, replies := ask(t, i, request("x", `{`+meta+`}`))
				if r := await(t, replies); !errors.Is(r.Err, tt.want) {
					t.Errorf("%s: got %+v", version, r)
				}
				if got := result(t, i, request("calm", `{`+meta+`}`)); got != "1" || i.Err() != nil {
					t.Errorf("%s: afterwards %s, %v", version, got, i.Err())
				}
			}
		})
	}
}

// TestSlowDrip: a call may take long, and a server may say again and again that
// it is still there.
func TestSlowDrip(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		w.Header().Set("Content-Type", streamType)
		answer := fmt.Sprintf(": wait\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":1}\n\n", m.ID.Raw())
		for n := range len(answer) {
			_, _ = io.WriteString(w, answer[n:n+1])
			_ = http.NewResponseController(w).Flush()
		}
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	if got := result(t, i, request("x", "")); got != "1" {
		t.Errorf("got %s", got)
	}
}

func TestLongHeaders(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		w.Header().Set("Content-Type", jsonType)
		if m.Method == "x" {
			w.Header().Set("X-Long", strings.Repeat("CANARY", maxResponseHead/6+1000))
		}
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw())
	})
	i := connect(t, HTTP{URL: url}, &notes{})
	_, replies := ask(t, i, request("x", ""))
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) || strings.Contains(r.Err.Error(), "CANARY") {
		t.Errorf("got %+v", r)
	}
	if got := result(t, i, request("calm", "")); got != "1" || i.Err() != nil {
		t.Errorf("afterwards %s, %v", got, i.Err())
	}
}

// TestCompression: an answer with a limit may be compressed as net/http undoes
// it; a stream without one may not, and nothing may be in another encoding.
func TestCompression(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		encoding := m.Method
		if m.Method == protocol.Listen {
			encoding = "gzip"
		} else if got := r.Header.Get("Accept-Encoding"); got != "gzip" {
			t.Errorf("Accept-Encoding: %q", got)
		}
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set("Content-Encoding", encoding)
		answer := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw())
		if encoding == "gzip" {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(answer)
			_ = z.Close()
			answer = b.Bytes()
		}
		_, _ = w.Write(answer)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	bad := "failed: " + peer.ErrBadAnswer.Error()
	for method, want := range map[string]string{"gzip": "1", "identity": "1", "br": bad, "zstd": bad, protocol.Listen: bad} {
		if got := result(t, i, request(method, `{`+meta+`}`)); got != want {
			t.Errorf("%s: %s", method, got)
		}
	}
}

// TestLongEventOnASharedStream: what is too long is left out, and the stream
// goes on behind it.
func TestLongEventOnASharedStream(t *testing.T) {
	long := strings.Repeat("x", 200)
	for name, event := range map[string]string{
		"one line":                   "data: " + long + "\n",
		"one line, crlf":             "data: " + long + "\r\n",
		"many lines":                 strings.Repeat("data: x\n", 50),
		"many lines, cr":             strings.Repeat("data: x\r", 50),
		"a long name":                "event: " + long + "\n",
		"a long comment":             ":" + long + "\n",
		"data in front":              "data: a\ndata: " + long + "\n",
		"ends where the limit is":    "data: " + strings.Repeat("x", 94) + "\n",
		"a line longer than buffers": "data: " + strings.Repeat("x", 3*readSize) + "\n",
	} {
		end := "\n"
		if strings.HasSuffix(event, "\r") {
			end = "\r"
		}
		in := "data: before\n\n" + event + end + "data: behind\n\n"
		for kind, r := range map[string]io.Reader{"whole": strings.NewReader(in), "by byte": iotest.OneByteReader(strings.NewReader(in))} {
			s := &events{limit: 100}
			s.open(r)
			var got []string
			for {
				e, err := s.next()
				if errors.Is(err, errEventTooLong) {
					got = append(got, "long")
					continue
				}
				if err != nil {
					break
				}
				got = append(got, string(e.data))
			}
			if cap(s.buf) > 8*readSize {
				t.Errorf("%s, %s: a buffer of %d bytes", name, kind, cap(s.buf))
			}
			if all := strings.Join(got, " "); all != "before long behind" {
				t.Errorf("%s, %s: %s", name, kind, all)
			}
		}
	}
}

// TestEventOfTheLimit is as long as an event may be.
func TestEventOfTheLimit(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\n\r\n", "\r\r"} {
		s := &events{limit: 100}
		s.open(strings.NewReader("data: " + strings.Repeat("x", 93) + end + "data: behind\n\n"))
		if got, err := readAll(s); len(got) != 2 || len(got[0].data) != 93 || string(got[1].data) != "behind" {
			t.Errorf("%q: %d events, %v", end, len(got), err)
		}
	}
}

func TestLongEventOnTheListeningStream(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", streamType)
		_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"n\",\"params\":[%q]}\n\n", strings.Repeat("x", 2000))
		say(w, `{"jsonrpc":"2.0","method":"behind"}`)
		<-r.Context().Done()
	})
	n := &notes{}
	i := connect(t, HTTP{URL: url, MaxMessage: 1000}, n)
	if err := i.Notify(request(protocol.Initialized, "")); err != nil {
		t.Fatal(err)
	}
	n.eventually(t, "notification behind ")
	if got := strings.Join(n.all(), "|"); got != "anomaly "+peer.AnomalyTooLong+"|notification behind " {
		t.Errorf("the handler heard %s", got)
	}
}
