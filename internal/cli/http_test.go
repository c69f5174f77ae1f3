package cli

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// prettyServer answers over HTTP with JSON in several lines, some of which are
// whole messages by themselves.
func prettyServer(t *testing.T) *httptest.Server {
	t.Helper()
	smuggled := "\n" + `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"smuggled":true}}` + "\n"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		m, err := jsonrpc.Parse(body, nil)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var result string
		switch m.Method {
		case "initialize":
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"pretty","version":"1"}}`
		case "tools/list":
			result = `{"tools":[{"name":"x","inputSchema":{"type":"object"},"x":` + smuggled + `}]}`
		case "tools/call":
			result = `{"content":[{"type":"text","text":"fine"}],"structuredContent":{"x":` + smuggled + "\r\n" + `}}`
		default:
			w.WriteHeader(http.StatusAccepted)
			return
		}
		pretty := "{\n  \"jsonrpc\": \"2.0\",\n  \"id\": " + m.ID.Raw() + ",\n  \"result\": " + result + "\n}\n"
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") && m.Method == "tools/call" {
			w.Header().Set("Content-Type", "text/event-stream")
			for line := range strings.Lines(pretty) {
				fmt.Fprintf(w, "data: %s", strings.TrimRight(line, "\r\n")+"\n")
			}
			fmt.Fprint(w, "\n")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, pretty)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestOneMessageOneLine puts a stdio client before a server that breaks lines
// inside messages: no line of its own making reaches the client.
func TestOneMessageOneLine(t *testing.T) {
	web := prettyServer(t)
	p := startProgram(t, object("mcpServers", object("web", object("type", "http", "url", web.URL)), "relay", noopOnly()))
	for i, request := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"web__x"}}`,
	} {
		if _, err := fmt.Fprintln(p.in, request); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	_ = p.in.Close()
	seen := map[string]bool{}
	lines := bufio.NewScanner(p.out)
	for lines.Scan() {
		m, err := jsonrpc.Parse(lines.Bytes(), nil)
		if err != nil || m.Kind() != jsonrpc.Response {
			t.Errorf("the client got the line %s", lines.Text())
		}
		seen[m.ID.Raw()] = true
		if m.ID.Raw() == "3" && !strings.Contains(lines.Text(), `"structuredContent":{"x":{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"smuggled":true}}}`) {
			t.Errorf("the result was bent: %s", lines.Text())
		}
	}
	if len(seen) != 3 {
		t.Errorf("answered %v\n%s", seen, p.stderr)
	}
}

// TestOneMessageOneEvent: the same before clients over HTTP, whose streams end
// an event at a line break.
func TestOneMessageOneEvent(t *testing.T) {
	upstream := prettyServer(t)
	w := startWeb(t, nil, object("mcpServers", object("web", object("type", "http", "url", upstream.URL)), "relay", noopOnly()))
	session, err := w.session()
	if err != nil {
		t.Fatalf("%v\n%s", err, w.stderr)
	}
	for name, r := range map[string]*http.Request{
		"legacy": w.request("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"web__x"}}`,
			"Mcp-Session-Id", session, "Accept", "text/event-stream"),
		"modern": w.request("POST", "/mcp", modernCall("1", "web__x"), append(modernHeaders("tools/call", "web__x"), "Accept", "text/event-stream")...),
	} {
		s, err := w.open(r)
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.next()
		if err != nil || m.Kind() != jsonrpc.Response || !strings.Contains(string(m.Result), `{"x":{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"smuggled":true}}}`) {
			t.Errorf("%s: %d %s %v", name, s.status, m.Result, err)
		}
		if more, err := s.data(); err == nil {
			t.Errorf("%s: then came %s", name, more)
		}
		s.close()
	}
}
