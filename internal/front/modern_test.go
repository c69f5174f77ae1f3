package front

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestModernAnswers(t *testing.T) {
	p := serveHTTP(t, nil)
	for _, tt := range []struct {
		method string
		status int
	}{
		{"echo", 200}, {"later", 200}, {"fail/-32601", 404}, {"fail/-32602", 200}, {"fail/-32603", 200}, {"fail/-32000", 200},
		{"fail/-32020", 400}, {"fail/-32021", 400}, {"fail/-32022", 400}, {"fail/-32600", 400}, {"fail/-32700", 400},
	} {
		t.Run(tt.method, func(t *testing.T) {
			body, headers := modernCall(`"a"`, tt.method)
			a := p.do("POST", "/mcp", body, headers...)
			g := p.desk.connected()
			if a.status != tt.status || a.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(a.body, `{"jsonrpc":"2.0","id":"a",`) {
				t.Errorf("%+v", a)
			}
			if !g.hello.Stateless || g.hello.Principal != "local" || g.hello.Mirrored == nil || len(g.hello.Session) < 26 {
				t.Errorf("%+v", g.hello)
			}
			if a.header.Get("Mcp-Session-Id") != "" {
				t.Error("a modern client got a session")
			}
			g.waitClosed()
		})
	}
}

func TestModernStream(t *testing.T) {
	p := serveHTTP(t, nil)
	body, headers := modernCall("1", "count/1000")
	resp := p.open("POST", "/mcp", body, headers...)
	if resp.Header.Get("X-Accel-Buffering") != "no" {
		t.Error("proxies may hold the stream back")
	}
	s := p.stream(resp)
	for i := range 1000 {
		if e := s.must(); e.data != fmt.Sprintf(`{"jsonrpc":"2.0","method":"n","params":{"i":%d}}`, i) || e.id != "" {
			t.Fatalf("%d: %+v", i, e)
		}
	}
	if e := s.must(); e.data != `{"jsonrpc":"2.0","id":1,"result":{"n":1000}}` {
		t.Fatalf("%+v", e)
	}
	s.end()
}

func TestModernRefusals(t *testing.T) {
	p := serveHTTP(t, nil)
	body, headers := modernCall("7", "echo")
	const want = `{"jsonrpc":"2.0","id":7,"error":{"code":-32020,`
	for _, tt := range []struct {
		name    string
		body    string
		headers []string
		status  int
		answer  string
	}{
		{"other method", body, []string{headers[0], headers[1], "Mcp-Method", "ECHO"}, 400, want},
		{"no version", body, []string{"Mcp-Method", "echo"}, 400, want},
		{"other version", body, []string{headers[0], "2025-11-25", "Mcp-Method", "echo"}, 400, want},
		{"bad mirror", body, append([]string{"Mcp-Param-X", "=?base64?!?="}, headers...), 400, want},
		{"no meta", legacyCall("7", "echo"), headers, 400, `{"jsonrpc":"2.0","id":7,"error":{"code":-32602,`},
		{"a response", `{"jsonrpc":"2.0","id":7,"result":{}}`, headers, 400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := p.do("POST", "/mcp", tt.body, tt.headers...)
			if a.status != tt.status || !strings.HasPrefix(a.body, tt.answer) {
				t.Errorf("%+v", a)
			}
		})
	}
	for _, method := range []string{"GET", "DELETE"} {
		if a := p.do(method, "/mcp", "", "MCP-Protocol-Version", "2026-07-28", "Accept", "text/event-stream"); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %+v", method, a)
		}
	}
	if len(p.desk.clients) != 0 {
		t.Error("a refused request reached the host")
	}
	// Of notifications no header is required, as MCP defines none.
	bare := `{"jsonrpc":"2.0","method":"notifications/x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
	if a := p.do("POST", "/mcp", bare); a.status != http.StatusAccepted {
		t.Errorf("a notification: %+v", a)
	}
}
