package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

func ask(t *testing.T, s *Server, msg string) map[string]any {
	t.Helper()
	r := s.Parse([]byte(msg))
	b := s.Handle(&r, nil)
	if len(b) == 0 {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s\nanswered with invalid JSON %s: %v", msg, b, err)
	}
	return m
}

func TestLegacy(t *testing.T) {
	s := New(Options{Tools: 5, Prefix: "a_"})
	m := ask(t, s, `{"jsonrpc":"2.0","id":"x","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}`)
	if m["id"] != "x" || m["result"].(map[string]any)["protocolVersion"] != "2025-06-18" {
		t.Errorf("initialize: %v", m)
	}
	if m = ask(t, s, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); m != nil {
		t.Errorf("notification answered: %v", m)
	}
	m = ask(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	res := m["result"].(map[string]any)
	if n := len(res["tools"].([]any)); n != 5+BaseTools {
		t.Errorf("%d tools", n)
	}
	if res["resultType"] != nil {
		t.Error("resultType in a legacy answer")
	}
	m = ask(t, s, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a_echo","arguments":{"text":"q\"\n"}}}`)
	text := m["result"].(map[string]any)["content"].([]any)[0].(map[string]any)["text"]
	if text != "q\"\n" {
		t.Errorf("echo: %q", text)
	}
	for msg, code := range map[string]float64{
		`{"jsonrpc":"2.0","id":3,"method":"nope"}`:                                                                      codeMethod,
		`{"jsonrpc":"2.0","id":3,"method":"server/discover"}`:                                                           codeMethod,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo"}}`:                                       codeParams,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a_echo"}}`:                                     codeParams,
		`{"jsonrpc":"2.0","id":3,`:                                                                                      codeParse,
		`{"jsonrpc":"2.0","id":3,"method":"x","params":{` + strings.ReplaceAll(meta, "2026-07-28", "1900-01-01") + `}}`: codeUnsupported,
	} {
		if m := ask(t, s, msg); m["error"].(map[string]any)["code"] != code {
			t.Errorf("%s: %v", msg, m)
		}
	}
}

func TestModern(t *testing.T) {
	s := New(Options{})
	for _, msg := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"blob","arguments":{"size":2048},` + meta + `}}`,
	} {
		if m := ask(t, s, msg); m["result"].(map[string]any)["resultType"] != "complete" {
			t.Errorf("%s: %v", msg, m)
		}
	}
	if m := ask(t, s, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{`+meta+`}}`); m["error"] == nil {
		t.Errorf("initialize accepted: %v", m)
	}
}

func TestStdioKeepsAnsweringWhileAToolSleeps(t *testing.T) {
	in := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sleep","arguments":{"ms":100}}}
{"jsonrpc":"2.0","id":2,"method":"ping"}
`
	var out bytes.Buffer
	if err := New(Options{}).ServeStdio(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"id":2`) || !strings.Contains(lines[1], `"id":1`) {
		t.Errorf("%q", lines)
	}
}

func TestHTTP(t *testing.T) {
	for _, sse := range []bool{false, true} {
		ts := httptest.NewServer(Handler(HTTPOptions{Sessions: true, SSE: sse}))
		t.Cleanup(ts.Close)
		post := func(body string, h ...string) (*http.Response, string) {
			req, _ := http.NewRequest("POST", ts.URL+"/mcp", strings.NewReader(body))
			for i := 0; i+1 < len(h); i += 2 {
				req.Header.Set(h[i], h[i+1])
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			return res, string(b)
		}
		ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
		if res, _ := post(ping); res.StatusCode != 404 {
			t.Errorf("without a session: %d", res.StatusCode)
		}
		res, _ := post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)
		id := res.Header.Get("Mcp-Session-Id")
		res, body := post(ping, "Mcp-Session-Id", id)
		want := `{"jsonrpc":"2.0","id":1,"result":{}}`
		if sse {
			want = "event: message\ndata: " + want + "\n\n"
		}
		if res.StatusCode != 200 || body != want {
			t.Errorf("sse %v: %d %q", sse, res.StatusCode, body)
		}
		if res, _ := post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, "Mcp-Session-Id", id); res.StatusCode != 202 {
			t.Errorf("notification: %d", res.StatusCode)
		}
		list := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%s}}`, meta)
		if res, _ := post(list, "Mcp-Protocol-Version", Modern, "Mcp-Method", "tools/list"); res.StatusCode != 200 {
			t.Errorf("modern list: %d", res.StatusCode)
		}
		if res, body := post(list, "Mcp-Protocol-Version", Modern, "Mcp-Method", "ping"); res.StatusCode != 400 || !strings.Contains(body, "-32020") {
			t.Errorf("header mismatch: %d %s", res.StatusCode, body)
		}
		if res, _ := post(ping, "Origin", "https://evil.example"); res.StatusCode != 403 {
			t.Errorf("foreign origin: %d", res.StatusCode)
		}
	}
}
