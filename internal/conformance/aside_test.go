package conformance

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rudeness is a way to answer a call with text beside the message. CANARY is what
// must not come out, ID the id of the call.
type rudeness struct{ name, answer string }

const fineEvent = "data: {\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[],\"resultType\":\"complete\"}}\n\n"

var rudenesses = []rudeness{
	{"reason phrase", "HTTP/1.1 500 CANARY\r\nContent-Length: 0\r\n\r\n"},
	{"body of an error", "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 200\r\n\r\n<h1>CANARY</h1>"},
	{"JSON of an error", "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{\"error\":\"CANARY\"}"},
	{"headers", "HTTP/1.1 200 OK\r\nX-Canary: CANARY\r\nSet-Cookie: CANARY=CANARY\r\nMcp-Session-Id: CANARY\r\nContent-Type: text/event-stream\r\n\r\n" + fineEvent},
	{"authenticate", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"CANARY\", error_description=\"CANARY\"\r\nContent-Length: 0\r\n\r\n"},
	{"forbidden", "HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"CANARY\"\r\nContent-Length: 0\r\n\r\n"},
	{"redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/CANARY\r\nContent-Length: 0\r\n\r\n"},
	{"media type", "HTTP/1.1 200 OK\r\nContent-Type: text/CANARY\r\n\r\nCANARY"},
	{"plain text", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nCANARY"},
	{"comment", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: CANARY\n\n" + fineEvent},
	{"event", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: CANARY\n" + fineEvent},
	{"event id", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: CANARY\n" + fineEvent},
	{"retry", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: CANARY\n" + fineEvent},
	{"field", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nCANARY: CANARY\n" + fineEvent},
	{"half an event", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"x\":\"CANARY\"}}"},
	{"trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Canary\r\nContent-Type: text/event-stream\r\n\r\n0\r\nX-Canary: CANARY\r\n\r\n"},
}

// TestNothingBesideAMessagePasses has a server put text everywhere around its
// messages, and a client into its headers: none of it comes out at the other end.
func TestNothingBesideAMessagePasses(t *testing.T) {
	for _, era := range []string{legacy, modern} {
		t.Run(era, func(t *testing.T) {
			r := newRig(t, way{overHTTP, overHTTP, era, era}, rigOptions{})
			var c canaries
			mine := c.next() // the client's
			w, ok := r.wire.(*httpWire)
			if !ok {
				t.Fatal("the client is not on HTTP")
			}
			w.mu.Lock()
			w.extra = http.Header{
				"X-Canary": {mine}, "Authorization": {"Bearer " + mine}, "Cookie": {"a=" + mine}, "Traceparent": {mine}, "Last-Event-Id": {mine},
				"Mcp-Param-" + mine: {mine}, "User-Agent": {mine}, "Forwarded": {"for=" + mine},
			}
			w.mu.Unlock()
			for _, rude := range rudenesses {
				t.Run(rude.name, func(t *testing.T) { r.beRude(t, rude, c.next()) })
			}
			time.Sleep(300 * time.Millisecond)
			r.stop()
			r.server.mu.Lock()
			defer r.server.mu.Unlock()
			if in := strings.Join(append(r.server.heads, r.everything(false)...), "\n"); strings.Contains(in, mine) {
				t.Errorf("a header of the client reached the server: %s", around(in, mine))
			}
		})
	}
}

// beRude has one call answered rudely.
func (r *rig) beRude(t *testing.T, rude rudeness, canary string) {
	t.Helper()
	done := make(chan struct{}, 8)
	r.server.mu.Lock()
	r.server.rude = func(w http.ResponseWriter, e *envelope) bool {
		if e.Method != "tools/call" {
			return false
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return false
		}
		done <- struct{}{}
		_, _ = io.WriteString(conn, strings.NewReplacer("CANARY", canary, "ID", string(e.ID)).Replace(rude.answer))
		_ = conn.Close()
		return true
	}
	r.server.mu.Unlock()
	id := r.ask("tools/call", r.usual("tools/call"))
	if e := r.answerTo(id); e == nil {
		t.Errorf("the call was not answered")
	}
	r.server.mu.Lock()
	r.server.rude = nil
	r.server.mu.Unlock()
	if len(done) == 0 {
		t.Errorf("the server was not asked")
	}
	w, ok := r.wire.(*httpWire)
	if !ok {
		return
	}
	w.mu.Lock()
	out := strings.Join(append(w.heads, r.everything(true)...), "\n")
	w.mu.Unlock()
	if strings.Contains(out, canary) {
		t.Errorf("came out: %s", around(out, canary))
	}
}

// around shows where a text holds another.
func around(text, what string) string {
	at := strings.Index(text, what)
	return fmt.Sprintf("…%s…", text[max(0, at-200):min(len(text), at+100)])
}
