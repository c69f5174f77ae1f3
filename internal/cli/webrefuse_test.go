package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/protocol"
)

// TestPagesAreRefused: what a page in a browser could send gets no answer, with
// or without a token, whatever the method and the path.
func TestPagesAreRefused(t *testing.T) {
	w := startWeb(t, nil, one("http", object("allowed_origins", []string{"app://notes"}, "allowed_hosts", []string{"relay.example"})))
	port := w.url[strings.LastIndexByte(w.url, ':'):]
	for _, test := range []struct {
		name, value string
		want        int
	}{
		{"Host", "evil.example", 403},
		{"Host", "evil.example" + port, 403},
		{"Host", "127.0.0.1.evil.example" + port, 403},
		{"Host", "localhost:1", 403},
		{"Host", "192.0.2.1" + port, 403},
		{"Host", "relay.example", 200},
		{"Host", "LOCALHOST" + port, 200},
		{"Origin", "http://evil.example", 403},
		{"Origin", "null", 403},
		{"Origin", "https://127.0.0.1" + port, 403},
		{"Origin", "http://127.0.0.1:1", 403},
		{"Origin", "app://notes", 200},
		{"Origin", w.url, 200},
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "none", 200},
	} {
		for _, token := range []string{"Bearer " + w.token, ""} {
			want := test.want
			if token == "" && want == 200 {
				want = 401
			}
			if got := w.knock(test.name, test.value, "Authorization", token); got != want {
				t.Errorf("%s: %s: %d, want %d", test.name, test.value, got, want)
			}
		}
		if test.want == 200 {
			continue
		}
		for _, line := range []string{"GET /sse", "GET /mcp", "POST /messages", "DELETE /mcp", "OPTIONS /mcp", "GET /"} {
			method, path, _ := strings.Cut(line, " ")
			a := w.do(method, path, "", test.name, test.value)
			if a.status != 403 || a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s with %s: %s: %+v", line, test.name, test.value, a)
			}
		}
	}
}

// TestBadRequests: nothing that is not one message of the protocol reaches a
// server, and the next good one does.
func TestBadRequests(t *testing.T) {
	received := filepath.Join(t.TempDir(), "received")
	w := startWeb(t, nil, object("mcpServers", object("one", object(
		"command", filepath.Join(programs, "hostile"), "args", []string{"legacy"}, "env", object("RECEIVED", received),
	)), "relay", noopOnly()))
	session, err := w.session()
	if err != nil {
		t.Fatalf("%v\n%s", err, w.stderr)
	}
	legacy := []string{"Mcp-Session-Id", session}
	modern := modernHeaders("tools/call", "one__echo")
	call := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`
	}
	smuggled := "\n" + `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"danger-SMUGGLED"}}` + "\n"
	for name, test := range map[string]struct {
		body    string
		headers []string
		want    int
	}{
		"a batch":                   {`[` + call(`"name":"one__echo"`) + `]`, legacy, 400},
		"an empty batch":            {`[]`, legacy, 400},
		"a modern batch":            {`[` + modernCall("1", "one__echo") + `]`, modern, 400},
		"two messages":              {call(`"name":"one__echo"`) + "\n" + call(`"name":"one__die"`), legacy, 400},
		"no JSON":                   {`call`, legacy, 400},
		"nothing":                   {``, legacy, 400},
		"a name twice":              {call(`"name":"one__echo","name":"one__die"`), legacy, 400},
		"a name in two cases":       {call(`"name":"one__echo","Name":"one__die"`), legacy, 400},
		"a method in two cases":     {`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`, legacy, 400},
		"a disguised method":        {`{"jsonrpc":"2.0","id":1,"method":"TOOLS/CALL","params":{"name":"one__die"}}`, legacy, 200},
		"bad UTF-8":                 {call(`"name":"one__echo","x":"` + "\xff" + `"`), legacy, 400},
		"deep":                      {call(`"name":"one__echo","x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), legacy, 400},
		"no session":                {call(`"name":"one__echo"`), nil, 400},
		"another session":           {call(`"name":"one__echo"`), []string{"Mcp-Session-Id", "A" + session[1:]}, 404},
		"an unknown revision":       {call(`"name":"one__echo"`), append([]string{"Mcp-Protocol-Version", "1999-01-01"}, legacy...), 400},
		"modern in a session":       {modernCall("1", "one__echo"), legacy, 400},
		"a header of another name":  {modernCall("1", "one__die"), modern, 400},
		"a header of another kind":  {modernCall("1", "one__echo"), modernHeaders("tools/list", "one__echo"), 400},
		"no header of the name":     {modernCall("1", "one__echo"), modernHeaders("tools/call", ""), 400},
		"legacy, modern headers":    {call(`"name":"one__echo"`), modern, 400},
		"two revisions":             {strings.Replace(modernCall("1", "one__echo"), "2026-07-28", "2025-11-25", 1), modern, 400},
		"no capabilities":           {call(`"name":"one__echo","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`), modern, 400},
		"an unknown modern version": {strings.ReplaceAll(modernCall("1", "one__echo"), "2026-07-28", "2099-01-01"), []string{"Mcp-Protocol-Version", "2099-01-01", "Mcp-Method", "tools/call", "Mcp-Name", "one__echo"}, 400},
		"initialize, modern":        {`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{` + modernMeta + `}}`, modernHeaders("initialize", ""), 404},
		"a modern response":         {`{"jsonrpc":"2.0","id":1,"result":{}}`, modern, 400},
		"another type":              {modernCall("1", "one__echo"), append([]string{"Content-Type", "text/plain"}, modern...), 415},
		"nothing is accepted":       {modernCall("1", "one__echo"), append([]string{"Accept", "image/png"}, modern...), 406},
	} {
		a := w.do("POST", "/mcp", test.body, test.headers...)
		if a.status != test.want {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, test.want)
		}
		if test.want == 200 && !strings.Contains(a.body, `"error":{`) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	// What breaks lines is one message all the same.
	for _, headers := range [][]string{legacy, modern} {
		body := call(`"name":"one__echo","arguments":{"x":` + smuggled + `}`)
		if &headers[0] == &modern[0] {
			body = call(`"name":"one__echo","arguments":{"x":` + smuggled + "\r\n" + `},` + modernMeta)
		}
		a := w.do("POST", "/mcp", body, headers...)
		if a.status != 200 || !strings.Contains(a.body, `danger-SMUGGLED`) {
			t.Errorf("line breaks: %+v", a)
		}
	}
	text, err := os.ReadFile(received)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "tools/call") {
			calls++
			if !strings.Contains(line, `"name":"echo"`) || !strings.Contains(line, "SMUGGLED") {
				t.Errorf("the server got %s", line)
			}
		}
	}
	if calls != 2 {
		t.Errorf("the server got %d calls:\n%s", calls, text)
	}
}

// TestTooMuch: long messages, long headers and too many sessions are refused,
// each by itself.
func TestTooMuch(t *testing.T) {
	w := startWeb(t, nil, one("max_message", "64KiB", "limits", object("sessions_per_principal", 100, "streams_per_principal", 2)))
	long := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 64<<10) + `"}}`
	if a := w.do("POST", "/mcp", long); a.status != 413 {
		t.Errorf("a long message: %d", a.status)
	}
	r := w.request("POST", "/mcp", "")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(long)), -1
	if s, err := w.open(r); err != nil || s.status != 413 {
		t.Errorf("a long message without a length: %+v %v", s, err)
	}
	for name, header := range map[string]string{"long": strings.Repeat("h", 80<<10), "many": ""} {
		text := "POST /mcp HTTP/1.1\r\nHost: " + w.url[len("http://"):] + "\r\nX-Long: " + header + "\r\n" + strings.Repeat("X-Many: 1234567890\r\n", 5000) + "\r\n"
		if got := rawStatus(t, w, text); got != "431" {
			t.Errorf("%s headers: %s", name, got)
		}
	}
	opened := 0
	for range 1000 {
		if a := w.do("POST", "/mcp", initialize); a.status == 200 {
			opened++
		} else if a.status != 429 {
			t.Errorf("status %d", a.status)
		}
	}
	if opened != 100 {
		t.Errorf("%d sessions", opened)
	}
	// Two answers may be in progress; the third is refused until one is over.
	var waiting []*stream
	for range 2 {
		s, err := w.open(w.request("POST", "/mcp", listenBody, modernHeaders(protocol.Listen, "")...))
		if err != nil || s.status != 200 {
			t.Fatalf("%+v %v\n%s", s, err, w.stderr)
		}
		waiting = append(waiting, s)
	}
	if got := w.knock(); got != 429 {
		t.Errorf("one stream too many: %d", got)
	}
	waiting[0].close()
	await(t, "room for a stream", func() bool { return w.knock() == 200 })
	waiting[1].close()
	if log := w.stderr.String(); strings.Count(log, "refused an HTTP request") > 3 {
		t.Errorf("the log is filled:\n%s", log)
	}
}

// listenBody opens a subscription of the modern era.
const listenBody = `{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + modernMeta + `}}`

// rawStatus sends bytes and returns the status of the answer.
func rawStatus(t *testing.T, w *web, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", w.url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = io.Copy(c, bytes.NewReader([]byte(text))) }()
	var version, status string
	_, _ = fmt.Fscan(c, &version, &status)
	return status
}
