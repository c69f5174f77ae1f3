package oauth

import (
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func testClient(t testing.TB) *Client {
	t.Helper()
	c, err := New(Options{Server: "github", URL: mcpURL, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever metadata says, what is taken from it stays on the issuer's origin.
func FuzzMetadata(f *testing.F) {
	for _, s := range []string{
		`{"issuer":"https://auth.example.com","authorization_endpoint":"https://auth.example.com/a?b=c","token_endpoint":"https://auth.example.com:443/t"}`,
		`{"token_endpoint":"https://auth.example.com@evil.example.com/"}`, `{"token_endpoint":"https://AUTH.example.com/t"}`, `{"token_endpoint":1}`, `null`,
	} {
		f.Add([]byte(s))
	}
	c := testClient(f)
	base, err := url.Parse(issuerURL)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var i issuer
		if json.Unmarshal(body, &i) != nil || c.checkEndpoints(&i, base) != nil {
			return
		}
		for _, u := range []*url.URL{i.authorization, i.token, i.registration, i.revocation} {
			if u != nil && origin(u) != origin(base) {
				t.Fatalf("%s is elsewhere", u)
			}
		}
		if i.authorization == nil {
			return
		}
		page, err := c.page(&i, identity{ID: "c"}, &resource{ID: mcpURL}, []string{"a"}, "http://127.0.0.1:1/callback", "s", "v")
		if err != nil {
			return
		}
		u, err := url.Parse(page)
		if err != nil || origin(u) != origin(base) || u.Query().Get("state") != "s" || strings.ContainsAny(page, "\"'`\\ $();|<>\r\n") {
			t.Fatalf("page %q, %v", page, err)
		}
	})
}

func FuzzCovers(f *testing.F) {
	for _, s := range []string{mcpURL, "https://" + mcpHost, "https://" + mcpHost + "/", "https://" + mcpHost + "/mc", "HTTPS://MCP.example.com:443/mcp", "https://" + mcpHost + "/%6dcp"} {
		f.Add(s)
	}
	c := testClient(f)
	f.Fuzz(func(t *testing.T, id string) {
		if !c.covers(id) {
			return
		}
		u, err := url.Parse(id)
		if err != nil || !strings.EqualFold(u.Hostname(), mcpHost) || strings.Trim(u.Path, "/") != "" && strings.TrimRight(u.Path, "/") != "/mcp" {
			t.Fatalf("%q covers %s", id, mcpURL)
		}
	})
}

func TestCovers(t *testing.T) {
	c := testClient(t)
	for id, want := range map[string]bool{
		mcpURL: true, mcpURL + "/": true, "https://" + mcpHost: true, "https://" + mcpHost + "/": true, "https://MCP.example.com:443/mcp": true,
		"": false, "/mcp": false, "https://" + mcpHost + "/MCP": false, "https://" + mcpHost + "/mc": false, "https://" + mcpHost + ":8443/mcp": false,
		"http://" + mcpHost + "/mcp": false, mcpURL + "?x": false, mcpURL + "#": false, "https://user@" + mcpHost + "/mcp": false,
		"https://" + mcpHost + "/x/../mcp": false, "https://mcp.example.com.evil.example.com/mcp": false,
	} {
		if got := c.covers(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	for _, s := range []string{"code=x&iss=" + url.QueryEscape(issuerURL), "error=access_denied", "code=a&code=b", "iss=x&error=%1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		code, err := readAnswer(q, &issuer{ID: issuerURL, NamesItself: true})
		if err == nil && (q.Get("iss") != issuerURL || q.Has("error") && q.Get("error") != "" || !isCredential(code)) {
			t.Fatalf("%q gave a code", query)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\r\n") {
			t.Fatalf("%q in an error", err)
		}
	})
}
