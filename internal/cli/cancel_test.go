package cli

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
)

// cancelled finds what a server is told about a call that nobody waits for.
var cancelled = regexp.MustCompile(`"method":"notifications/cancelled","params":\{"requestId":(\d+)[,}]`)

// waiting finds the calls of the tool wait.
var waiting = regexp.MustCompile(`"id":(\d+),"method":"tools/call","params":\{"name":"wait"`)

// TestCancel: a client of either era gives a call up, and the server is told of
// that call and of no other. Nobody cancels the calls of others.
func TestCancel(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		server, received := recording(t, era)
		w := startWeb(t, nil, object("mcpServers", object("one", server), "relay", noopOnly()))
		mine, err := w.session()
		if err != nil {
			t.Fatalf("%v\n%s", err, w.stderr)
		}
		others, err := w.session()
		if err != nil {
			t.Fatal(err)
		}
		call := `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"one__wait"}}`
		first := w.begin(received, "wait", []string{"Mcp-Session-Id", mine}, call)

		// The modern client leaves.
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			r := w.request("POST", "/mcp", modernCall("7", "one__wait"), modernHeaders("tools/call", "one__wait")...)
			if s, err := w.open(r.WithContext(ctx)); err == nil {
				s.close()
				t.Error("the call was answered")
			}
		}()
		await(t, "the second call", func() bool { return len(waiting.FindAllString(contents(received), -1)) == 2 })
		leave()
		told := func(n int) []string {
			await(t, "word of it at the server", func() bool { return len(cancelled.FindAllString(contents(received), -1)) == n })
			calls, ends := waiting.FindAllStringSubmatch(contents(received), -1), cancelled.FindAllStringSubmatch(contents(received), -1)
			return []string{calls[2-n][1], ends[n-1][1]}
		}
		if ids := told(1); ids[0] != ids[1] {
			t.Errorf("%s server: told of %s, called as %s", era, ids[1], ids[0])
		}

		// The id is the same in another session, and means nothing there.
		cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`
		w.do("POST", "/mcp", cancel, "Mcp-Session-Id", others)
		w.do("POST", "/mcp", strings.Replace(cancel, `7}`, `7,`+modernMeta+`}`, 1), modernHeaders(protocol.Cancelled, "")...)
		if a := w.do("POST", "/mcp", strings.Replace(call, "wait", "echo", 1), "Mcp-Session-Id", others); !strings.Contains(a.body, `"text":"echo"`) {
			t.Errorf("%+v", a)
		}
		if n := len(cancelled.FindAllString(contents(received), -1)); n != 1 {
			t.Errorf("%s server: told of %d calls", era, n)
		}
		w.do("POST", "/mcp", cancel, "Mcp-Session-Id", mine)
		if ids := told(2); ids[0] != ids[1] {
			t.Errorf("%s server: told of %s, called as %s", era, ids[1], ids[0])
		}
		if a := <-first; a.status != 202 || strings.Contains(a.body, "result") {
			t.Errorf("the cancelled call: %+v", a)
		}
	}
}

// TestStdioSpeaksBothEras: a client may find out what the relay speaks, in any
// order, on one connection.
func TestStdioSpeaksBothEras(t *testing.T) {
	p := startProgram(t, bothEras())
	c, err := stdioClient(p, true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.send(protocol.Discover, "", []byte("{}"))
	if err != nil || !strings.Contains(string(m.Result), `"supportedVersions":["2026-07-28"`) {
		t.Errorf("%s %s %v", m.Result, m.Error, err)
	}
	if got := c.text("new__elicit"); !strings.Contains(got, "Ada") {
		t.Errorf("modern: %s", got)
	}
	c.modern = false
	if m, err := c.send(protocol.Initialize, "", []byte(`{"protocolVersion":"2025-06-18","capabilities":{"elicitation":{}}}`)); err != nil || m.Error != nil {
		t.Errorf("%s %v", m.Error, err)
	}
	if got := c.text("old__elicit"); !strings.Contains(got, "Ada") {
		t.Errorf("legacy: %s", got)
	}
	p.leave(t)
}

// TestAddressInUse: who cannot listen says so, and starts nothing.
func TestAddressInUse(t *testing.T) {
	w := startWeb(t, nil, one())
	server, received := recording(t, "legacy")
	p := startWith(t, []string{"--listen", strings.TrimPrefix(w.url, "http://")}, object("mcpServers", object("one", server), "relay", noopOnly()))
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.ExitCode() != exitFailed {
		t.Errorf("%v", err)
	}
	if log := p.stderr.String(); !strings.Contains(log, "address already in use") {
		t.Errorf("it said %s", log)
	}
	if exists(received) {
		t.Error("a server was started")
	}
}
