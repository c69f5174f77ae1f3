package front

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

var none jsonrpc.ID

func (p *place) listen(id string, headers ...string) *sseReader {
	p.t.Helper()
	return p.stream(p.open("GET", "/mcp", "", append([]string{sessionHeader, id, "Accept", "text/event-stream"}, headers...)...))
}

func n(i int) peer.Cleared { return note("n", fmt.Sprintf(`{"i":%d}`, i)) }

func isN(e sse, i int) bool {
	return e.data == fmt.Sprintf(`{"jsonrpc":"2.0","method":"n","params":{"i":%d}}`, i)
}

func TestListenStream(t *testing.T) {
	p := serveHTTP(t, nil)
	id, g := p.initialize()
	// What came before is kept, but not a question to a client that may never listen.
	if err := g.sink.Request(jsonrpc.StringID("q"), none, note("q", "{}")); !errors.Is(err, peer.ErrNoStream) {
		t.Errorf("got %v", err)
	}
	const changed = "notifications/tools/list_changed"
	for _, c := range []peer.Cleared{n(0), note(changed, "{}"), n(1), note(changed, "{}")} {
		g.try(g.sink.Notify(none, c))
	}
	s := p.listen(id)
	if s.resp.Header.Get("X-Accel-Buffering") != "no" || s.resp.Header.Get("Cache-Control") == "" {
		t.Error("proxies may hold the stream back")
	}
	if !isN(s.must(), 0) || !strings.Contains(s.must().data, changed) || !isN(s.must(), 1) {
		t.Error("the stream does not begin with what was kept")
	}
	g.try(g.sink.Request(jsonrpc.StringID("q"), none, note("q", "{}")))
	if e := s.must(); e.data != `{"jsonrpc":"2.0","id":"q","method":"q","params":{}}` {
		t.Errorf("%+v", e)
	}
	// A newer stream takes its place.
	newer := p.listen(id)
	s.end()
	g.try(g.sink.Notify(none, n(2)))
	if !isN(newer.must(), 2) {
		t.Error("the newer stream has nothing")
	}
	// Now that the client is known to listen, questions wait for it.
	_ = newer.resp.Body.Close()
	session := p.handler.sessions[id]
	until(t, func() bool { session.mu.Lock(); defer session.mu.Unlock(); return session.listen.q == nil })
	g.try(g.sink.Request(jsonrpc.StringID("q2"), none, note("q", "{}")))
	if e := p.listen(id).must(); !strings.Contains(e.data, `"q2"`) {
		t.Errorf("%+v", e)
	}
	p.do("DELETE", "/mcp", "", sessionHeader, id)
}

func TestBacklogIsBounded(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.waitItems = 3 })
	id, g := p.initialize()
	for i := range 3 {
		g.try(g.sink.Notify(none, n(i)))
	}
	for range 2 {
		if err := g.sink.Notify(none, n(3)); !errors.Is(err, peer.ErrNoStream) {
			t.Errorf("got %v", err)
		}
	}
	s := p.listen(id)
	for i := range 3 {
		if !isN(s.must(), i) {
			t.Error("not in order")
		}
	}
	if got := strings.Count(p.log.String(), "missed notifications"); got != 1 {
		t.Errorf("logged %d times", got)
	}
}

// A stream that was lost goes on where it was, once for each message.
func TestResume(t *testing.T) {
	p := serveHTTP(t, nil)
	id, g := p.initialize()
	post := make(chan *http.Response)
	go func() {
		post <- p.open("POST", "/mcp", legacyCall("1", "wait"), sessionHeader, id, "MCP-Protocol-Version", "2025-11-25")
	}()
	m := g.next()
	g.try(g.sink.Notify(m.ID, n(0)))
	s := p.stream(<-post)
	primed := s.must()
	if primed.id == "" || primed.data != "" {
		t.Errorf("the stream does not begin with an id: %+v", primed)
	}
	first := s.must()
	g.try(g.sink.Notify(m.ID, n(1)))
	if !isN(first, 0) || !isN(s.must(), 1) {
		t.Error("not in order")
	}
	_ = s.resp.Body.Close()
	session := p.handler.sessions[id]
	until(t, func() bool { session.mu.Lock(); defer session.mu.Unlock(); return session.open[m.ID].q == nil })
	// The request goes on.
	g.try(g.sink.Notify(m.ID, n(2)))
	g.try(g.sink.Request(jsonrpc.StringID("q"), m.ID, note("q", "{}")))

	s = p.listen(id, "Last-Event-ID", first.id)
	if !isN(s.must(), 1) || !isN(s.must(), 2) || !strings.Contains(s.must().data, `"id":"q"`) {
		t.Error("not resumed where it was")
	}
	g.try(g.sink.Respond(m.ID, result("{}")))
	last := s.must()
	if !strings.Contains(last.data, `"result":{}`) {
		t.Errorf("%+v", last)
	}
	s.end()
	// All of it again, from the beginning and from the end.
	s = p.listen(id, "Last-Event-ID", primed.id)
	for range 5 {
		s.must()
	}
	s.end()
	p.listen(id, "Last-Event-ID", last.id).end()

	for _, bad := range []string{"x", "", "1", "1-", "-1", "1-x", "9-0", "1-6", "18446744073709551616-1"} {
		r := p.request("GET", "/mcp", "", sessionHeader, id, "Accept", "text/event-stream")
		r.Header["Last-Event-Id"] = []string{bad}
		resp, err := p.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Errorf("%q: %d", bad, resp.StatusCode)
		}
	}
	if strings.Contains(p.log.String(), id) {
		t.Error("the log holds the id of a session")
	}
}

// A stream for what belongs to no request goes on where it was as well.
func TestResumeListening(t *testing.T) {
	p := serveHTTP(t, nil)
	id, g := p.initialize()
	s := p.listen(id, "MCP-Protocol-Version", "2025-11-25")
	if e := s.must(); e.id != "0-0" {
		t.Errorf("%+v", e)
	}
	g.try(g.sink.Notify(none, n(0)))
	e := s.must()
	g.try(g.sink.Notify(none, n(1)))
	s.must()
	_ = s.resp.Body.Close()
	session := p.handler.sessions[id]
	until(t, func() bool { session.mu.Lock(); defer session.mu.Unlock(); return session.listen.q == nil })
	g.try(g.sink.Notify(none, n(2)))
	s = p.listen(id, "Last-Event-ID", e.id)
	if !isN(s.must(), 1) || !isN(s.must(), 2) {
		t.Error("not resumed where it was")
	}
	// Without an id it begins where it is now.
	s = p.listen(id, "MCP-Protocol-Version", "2025-11-25")
	if e := s.must(); e.id != "0-3" {
		t.Errorf("%+v", e)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	l := defaultLimits
	l.keptItems, l.kept = 4, 1000
	log := &logBuffer{}
	s := newSession("id", "local", &l, new(atomic.Int64), quietTo(log))
	all := accepted{json: true, events: true}
	a, _ := s.begin(jsonrpc.IntID(1), all)
	b, _ := s.begin(jsonrpc.IntID(2), all)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		must(s.Notify(jsonrpc.IntID(1), n(i)))
		must(s.Notify(jsonrpc.IntID(2), n(i)))
	}
	must(s.Respond(jsonrpc.IntID(2), result("{}"))) // one too many: the oldest of those that are over goes
	s.leave(a)
	s.leave(b)
	if _, err := s.resume("2-0"); !errors.Is(err, errGone) {
		t.Errorf("a gap: %v", err)
	}
	rd, err := s.resume("2-1")
	must(err)
	if got := rd.q.take(); len(got.items) != 2 || !got.answered {
		t.Errorf("%+v", got)
	}
	rd, err = s.resume("1-0")
	must(err)
	if got := rd.q.take(); len(got.items) != 2 || got.answered {
		t.Errorf("%+v", got)
	}
	s.leave(rd)
	s.leave(reading{st: b.st, q: b.st.q})
	// What the client left goes when nothing else does, and cannot be resumed then.
	for i := range 4 {
		must(s.Notify(jsonrpc.IntID(1), n(i)))
	}
	if _, err := s.resume("1-0"); !errors.Is(err, errGone) {
		t.Errorf("a gap: %v", err)
	}
	if _, err := s.resume("2-3"); err == nil {
		t.Error("a stream of which nothing is kept was resumed")
	}
	if !strings.Contains(log.String(), "cannot be resumed") || len(s.known) != 2 {
		t.Error("nothing was logged")
	}
	// By bytes.
	must(s.Notify(jsonrpc.IntID(1), note("n", `"`+strings.Repeat("x", 900)+`"`)))
	must(s.Notify(jsonrpc.IntID(1), note("n", `"`+strings.Repeat("x", 900)+`"`)))
	if len(s.history.events) != 1 || s.history.size > 1000 {
		t.Errorf("%d events, %d bytes", len(s.history.events), s.history.size)
	}
}

// All sessions together keep no more than they may, and nothing when they ended.
func TestAllHistoriesAreBounded(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.kept, l.keptAll = 1000, 2500 })
	var ids []string
	for i := range 6 {
		id, g := p.initialize()
		s := p.listen(id)
		g.try(g.sink.Notify(none, note("n", `"`+strings.Repeat("x", 900)+`"`)))
		s.must()
		ids = append(ids, id)
		if got := p.handler.kept.Load(); got < 900 || got > 2500 {
			t.Errorf("after %d sessions: %d bytes", i+1, got)
		}
	}
	for _, id := range ids {
		p.do("DELETE", "/mcp", "", sessionHeader, id)
	}
	if got := p.handler.kept.Load(); got != 0 {
		t.Errorf("%d bytes are kept for nobody", got)
	}
}

// What was not written when a stream was lost is written on the next.
func TestUnwrittenMessagesMoveOn(t *testing.T) {
	l := defaultLimits
	s := newSession("id", "local", &l, new(atomic.Int64), quietTo(&logBuffer{}))
	first, err := s.listenTo()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := s.Notify(none, n(i)); err != nil {
			t.Fatal(err)
		}
	}
	second, err := s.listenTo()
	if err != nil || second.from != 0 {
		t.Fatalf("%+v %v", second, err)
	}
	if b := first.q.take(); len(b.items) != 0 || !errors.Is(b.err, errReplaced) {
		t.Errorf("the first has %+v", b)
	}
	s.leave(second)
	s.leave(first)
	third, err := s.listenTo()
	if b := third.q.take(); err != nil || len(b.items) != 3 || b.items[0].seq != 1 {
		t.Errorf("%+v %v", b, err)
	}
	s.leave(third)
	if fourth, err := s.listenTo(); err != nil || fourth.from != 3 || len(fourth.q.take().items) != 0 {
		t.Errorf("%+v %v", fourth, err)
	}
}

func TestSlowClientEndsItsOwnStream(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.queue = 1 << 20; l.write = 500 * time.Millisecond })
	slow := func(path, body string, headers ...string) *http.Response {
		r := p.request("POST", path, body, headers...)
		if body == "" {
			r.Method = "GET"
			r.Header.Set("Accept", "text/event-stream")
		}
		resp, err := p.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	long := note("n", `"`+strings.Repeat("x", 100<<10)+`"`)
	flood := func(send func() error) {
		t.Helper()
		for range 10000 {
			if err := send(); err != nil {
				if !errors.Is(err, errSlow) && !errors.Is(err, errOver) && !errors.Is(err, peer.ErrNoStream) {
					t.Errorf("got %v", err)
				}
				return
			}
		}
		t.Error("everything was taken")
	}

	body, headers := modernCall("1", "wait")
	got := make(chan *http.Response)
	go func() { got <- slow("/mcp", body, headers...) }()
	modern := p.desk.connected()
	m := modern.next()
	id, legacy := p.initialize()
	listening := slow("/mcp", "", sessionHeader, id)
	old := slow("/sse", "")
	older := p.desk.connected()

	flood(func() error { return modern.sink.Notify(m.ID, long) })
	<-got
	modern.waitClosed()
	flood(func() error { return older.sink.Notify(none, long) })
	older.waitClosed()
	_ = old
	flood(func() error { return legacy.sink.Notify(none, long) })
	_ = listening
	// Nobody else has to wait, not even in the same session.
	if a := p.do("POST", "/mcp", legacyCall("1", "echo"), sessionHeader, id); a.status != 200 {
		t.Errorf("%+v", a)
	}
	if !strings.Contains(p.log.String(), "ended a stream") {
		t.Error("nothing was logged")
	}
}

// A stream that was cut off does not look like one that came to its end.
func TestCutStreamIsNoEnd(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.queue = 1 << 20; l.write = 500 * time.Millisecond })
	body, headers := modernCall("1", "wait")
	got := make(chan *http.Response)
	go func() { got <- p.open("POST", "/mcp", body, headers...) }()
	g := p.desk.connected()
	m := g.next()
	long := note("n", `"`+strings.Repeat("x", 500<<10)+`"`)
	for g.sink.Notify(m.ID, long) == nil {
	}
	s := p.stream(<-got)
	for {
		_, err := s.next()
		if err == nil {
			continue
		}
		if err.Error() == "EOF" {
			t.Error("the stream seems to be complete")
		}
		break
	}
}

func TestHeartbeats(t *testing.T) {
	p := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.silence = 20 * time.Millisecond })
	id, g := p.initialize()
	s := p.listen(id)
	for range 3 {
		if e := s.must(); e.name != "comment" {
			t.Errorf("%+v", e)
		}
	}
	// An answer that takes long becomes a stream, so that its client is seen to
	// be there.
	got := make(chan *http.Response)
	go func() { got <- p.open("POST", "/mcp", legacyCall("1", "wait"), sessionHeader, id) }()
	m := g.next()
	s = p.stream(<-got)
	if e := s.must(); e.name != "comment" {
		t.Errorf("%+v", e)
	}
	g.try(g.sink.Respond(m.ID, result("{}")))
	for {
		e := s.must()
		if e.name == "comment" {
			continue
		}
		if e.id == "" || e.data != `{"jsonrpc":"2.0","id":1,"result":{}}` {
			t.Errorf("%+v", e)
		}
		break
	}
	s.end()
	// A client that takes JSON only waits for it.
	done := make(chan answerOf)
	go func() {
		done <- p.do("POST", "/mcp", legacyCall("1", "wait"), sessionHeader, id, "Accept", "", "Accept", "application/json")
	}()
	m = g.next()
	if err := g.sink.Notify(m.ID, n(0)); !errors.Is(err, peer.ErrNoStream) {
		t.Errorf("a notification for a client that takes none: %v", err)
	}
	time.Sleep(60 * time.Millisecond)
	g.try(g.sink.Respond(m.ID, result("{}")))
	if a := <-done; a.header.Get("Content-Type") != "application/json" || a.body != `{"jsonrpc":"2.0","id":1,"result":{}}` {
		t.Errorf("%+v", a)
	}
}

// A message is one event, whatever white space is in it.
func TestOneMessageOneEvent(t *testing.T) {
	p := serveHTTP(t, nil)
	id, g := p.initialize()
	s := p.listen(id)
	g.try(g.sink.Notify(none, note("n", "{\n\"a\":\r\n[1,\r2],\n\n\"b\":\"\\n\"}\n")))
	if e := s.must(); e.data != `{"jsonrpc":"2.0","method":"n","params":{"a":[1,2],"b":"\n"}}` {
		t.Errorf("%+v", e)
	}
	if err := g.sink.Notify(none, note("n", "{\n\"a\":\"\n\"}")); !errors.Is(err, jsonrpc.ErrNotOneLine) {
		t.Errorf("got %v", err)
	}
	if err := g.sink.Notify(none, peer.Cleared{}); !errors.Is(err, peer.ErrNotCleared) {
		t.Errorf("got %v", err)
	}
}

func TestOldTransport(t *testing.T) {
	p := serveHTTP(t, nil)
	s := p.stream(p.open("GET", "/sse", "", "Accept", "text/event-stream"))
	e := s.must()
	g := p.desk.connected()
	if e.name != "endpoint" || !strings.HasPrefix(e.data, "/messages?sessionId=") || strings.Contains(e.data, g.hello.Session) || g.hello.Stateless {
		t.Fatalf("%+v", e)
	}
	for _, call := range []string{"initialize", "count/3"} {
		if a := p.do("POST", e.data, legacyCall("1", call)); a.status != 202 {
			t.Errorf("%+v", a)
		}
	}
	if got := s.must(); got.name != "message" || got.id != "" || !strings.Contains(got.data, "protocolVersion") {
		t.Errorf("%+v", got)
	}
	for i := range 3 {
		if !isN(s.must(), i) {
			t.Error("not in order")
		}
	}
	s.must()
	g.try(g.sink.Request(jsonrpc.StringID("q"), none, note("q", "{}")))
	if got := s.must(); got.data != `{"jsonrpc":"2.0","id":"q","method":"q","params":{}}` {
		t.Errorf("%+v", got)
	}
	for _, bad := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/messages", legacyCall("1", "echo"), 404}, {"POST", "/messages?sessionId=x", legacyCall("1", "echo"), 404},
		{"GET", e.data, "", 405}, {"POST", "/sse", legacyCall("1", "echo"), 405}, {"POST", e.data, "{", 400}, {"POST", e.data, "[]", 400},
	} {
		if a := p.do(bad.method, bad.path, bad.body); a.status != bad.status {
			t.Errorf("%+v: %+v", bad, a)
		}
	}
	_ = s.resp.Body.Close()
	g.waitClosed()
	until(t, func() bool { return p.do("POST", e.data, legacyCall("1", "echo")).status == 404 })

	few := serveHTTP(t, func(_ *HandlerOptions, l *limits) { l.streams = 1 })
	s = few.stream(few.open("GET", "/sse", "", "Accept", "text/event-stream"))
	at := s.must().data
	g = few.desk.connected()
	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`
	for i, step := range []struct {
		body   string
		status int
	}{
		{legacyCall("1", "wait"), 202}, {legacyCall("2", "wait"), 429}, {"", 0}, {legacyCall("2", "wait"), 202},
		{legacyCall("3", "wait"), 429}, {cancel, 202}, {legacyCall("3", "wait"), 202},
	} {
		if step.body == "" {
			g.try(g.sink.Respond(g.next().ID, result("{}")))
		} else if a := few.do("POST", at, step.body); a.status != step.status {
			t.Errorf("%d: %+v", i, a)
		}
	}

	without := serveHTTP(t, func(o *HandlerOptions, _ *limits) { o.WithoutSSE = true })
	for _, path := range []string{"/sse", "/messages"} {
		if a := without.do("GET", path, ""); a.status != 404 {
			t.Errorf("%+v", a)
		}
	}
}
