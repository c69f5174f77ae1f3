package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestHTTPSection(t *testing.T) {
	c := load(t, "relay.yaml", `
mcpServers: {x: {command: c}}
relay:
  http:
    listen: 192.0.2.1:8443
    path: /tools/mcp
    tokens: {alice: "${A}", build-1: "${B}"}
    allowed_hosts: [Relay.Example.com, "relay.example.com:8443", "[2001:db8::1]:1"]
    allowed_origins: ["https://App.Example.com/", "http://localhost:3000"]
    tls: {cert: cert.pem, key: ~/key.pem}
    max_sessions: 5
    max_streams: 6
    max_parked: 7
    session_idle: 2m
    sse: false
  isolation: session
  limits: {sessions_per_principal: 1, streams_per_principal: 2, parked_per_principal: 3, children_per_principal: 4}
  page_size: 50
  parked_ttl: 1m
  max_input_rounds: 3
`, "A=0123456789abcdef", "B=fedcba9876543210")
	dir := filepath.Dir(c.Path)
	want := HTTP{
		Enabled: true, Listen: "192.0.2.1:8443", Path: "/tools/mcp", Auth: AuthToken,
		Tokens:         map[string]string{"alice": "0123456789abcdef", "build-1": "fedcba9876543210"},
		AllowedHosts:   []string{"relay.example.com", "relay.example.com:8443", "[2001:db8::1]:1"},
		AllowedOrigins: []string{"https://app.example.com", "http://localhost:3000"},
		TLS:            TLS{Cert: filepath.Join(dir, "cert.pem"), Key: "key.pem"},
		MaxSessions:    5, MaxStreams: 6, MaxParked: 7, SessionIdle: 2 * time.Minute,
	}
	c.Relay.HTTP.TLS.Key = filepath.Base(c.Relay.HTTP.TLS.Key)
	if !reflect.DeepEqual(c.Relay.HTTP, want) || c.Relay.Front.Transport != TypeHTTP {
		t.Errorf("http:\n%+v\nwant\n%+v", c.Relay.HTTP, want)
	}
	if r := c.Relay; r.Isolation != IsolationSession || r.Limits != (Limits{1, 2, 3, 4}) || r.PageSize != 50 ||
		r.ParkedTTL != time.Minute || r.MaxInputRounds != 3 {
		t.Errorf("relay %+v", r)
	}
}

// Where clients connect may be said in several places; the strongest counts.
func TestFrontFrom(t *testing.T) {
	for _, test := range []struct {
		relay, legacy string
		env           []string
		listen        string // "" is stdio
	}{
		{relay: `{}`},
		{relay: `{host: 0.0.0.0, port: 9000}`}, // says nothing without a transport
		{relay: `{transport: stdio}`},
		{relay: `{http: {}}`, listen: "127.0.0.1:8000"},
		{relay: `{http: {listen: "localhost:0"}}`, listen: "localhost:0"},
		{relay: `{http: {listen: "notes.localhost:80"}}`, listen: "notes.localhost:80"},
		{relay: `{http: {listen: "[::1]:80"}}`, listen: "[::1]:80"},
		{relay: `{http: {listen: ":80", insecure: true}}`, listen: ":80"},
		{relay: `{http: {listen: "unix:/run/relay.sock"}}`, listen: "unix:/run/relay.sock"},
		{relay: `{http: {listen: "unix:///run/./relay.sock", auth: none}}`, listen: "unix:/run/relay.sock"},
		{relay: `{http: {listen: "unix:relay.sock"}}`, listen: "unix:DIR/relay.sock"},
		{relay: `{http: {listen: "unix:~/relay.sock"}}`, listen: "unix:/home/me/relay.sock"},
		{relay: `{transport: http}`, listen: "127.0.0.1:8000"},
		{relay: `{transport: sse, port: 9000}`, listen: "127.0.0.1:9000"},
		{relay: `{transport: streamable-http, host: "::1"}`, listen: "[::1]:8000"},
		{relay: `{transport: streamable_http}`, listen: "127.0.0.1:8000"},
		{relay: `{http: {path: /x}, port: 9000}`, listen: "127.0.0.1:9000"},
		{relay: `{http: {listen: "127.0.0.1:1"}, transport: http}`, listen: "127.0.0.1:1"},
		{relay: `{}`, legacy: `{transport: http, port: 9000}`, listen: "127.0.0.1:9000"},
		{relay: `{}`, legacy: `{transport: Streamable-HTTP}`, listen: "127.0.0.1:8000"},
		{relay: `{transport: stdio}`, legacy: `{transport: http}`},
		{relay: `{http: {listen: "127.0.0.1:1"}}`, legacy: `{transport: stdio, port: 9000}`, listen: "127.0.0.1:1"},
		{relay: `{}`, env: []string{"MCP_RELAY_TRANSPORT=http", "MCP_RELAY_PORT=9000"}, listen: "127.0.0.1:9000"},
		{relay: `{http: {}}`, env: []string{"MCP_RELAY_TRANSPORT=stdio"}},
		{relay: `{transport: stdio}`, env: []string{"MCP_RELAY_TRANSPORT=HTTP"}, listen: "127.0.0.1:8000"},
		{relay: `{http: {listen: "127.0.0.1:1"}}`, env: []string{"MCP_RELAY_PORT=9000"}, listen: "127.0.0.1:9000"},
		{relay: `{http: {listen: "127.0.0.1:1"}}`, env: []string{"MCP_RELAY_HOST=::1"}, listen: "[::1]:1"},
		{relay: `{http: {listen: "unix:/s"}}`, env: []string{"MCP_RELAY_PORT=9000"}, listen: "unix:/s"},
	} {
		text := "mcpServers: {x: {command: c}}\nrelay: " + test.relay + "\n"
		if test.legacy != "" {
			text += "mcpRelay: " + test.legacy + "\n"
		}
		path := write(t, "relay.yaml", text)
		c, err := Load(Options{Path: path, Environ: environ(test.env...), Home: "/home/me"})
		if err != nil {
			t.Errorf("%s %v: %v", text, test.env, err)
			continue
		}
		h, want := c.Relay.HTTP, strings.ReplaceAll(test.listen, "DIR", filepath.Dir(path))
		if h.Listen != want || h.Enabled != (want != "") || c.Relay.Front.Transport == TypeHTTP != h.Enabled {
			t.Errorf("%s %v: %+v, transport %s", text, test.env, h, c.Relay.Front.Transport)
		}
	}
}

func TestNetwork(t *testing.T) {
	for listen, want := range map[string]struct {
		network, address string
		local            bool
	}{
		"127.0.0.1:8000":  {"tcp", "127.0.0.1:8000", true},
		"127.9.9.9:1":     {"tcp", "127.9.9.9:1", true},
		"[::1]:8000":      {"tcp", "[::1]:8000", true},
		"localhost:8000":  {"tcp", "localhost:8000", true},
		"unix:/a/b":       {"unix", "/a/b", true},
		":8000":           {"tcp", ":8000", false},
		"0.0.0.0:8000":    {"tcp", "0.0.0.0:8000", false},
		"[::]:8000":       {"tcp", "[::]:8000", false},
		"192.0.2.1:1":     {"tcp", "192.0.2.1:1", false},
		"example.com:1":   {"tcp", "example.com:1", false},
		"127.0.0.1.nip:1": {"tcp", "127.0.0.1.nip:1", false},
	} {
		h := HTTP{Listen: listen}
		if network, address := h.Network(); network != want.network || address != want.address || h.Local() != want.local {
			t.Errorf("%s: %s %s local %v", listen, network, address, h.Local())
		}
	}
}

// Flags are stronger than the file, and held to the same rules.
func TestApplyListen(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := filepath.Abs(".") // as the system calls it
	if err != nil {
		t.Fatal(err)
	}
	const free, wide = `{}`, `{"http": {"listen": "0.0.0.0:1", "tls": {"cert": "c", "key": "k"}, "allowed_hosts": ["a"]}}`
	for _, test := range []struct {
		relay, addr, auth string
		listen, fails     string
		warns             int
	}{
		{relay: free},
		{relay: free, addr: "127.0.0.1:9000", listen: "127.0.0.1:9000"},
		{relay: free, addr: "127.0.0.1:9000", auth: "none", listen: "127.0.0.1:9000", warns: 1},
		{relay: free, addr: "unix:s", auth: "none", listen: "unix:" + filepath.Join(dir, "s")},
		{relay: `{"transport": "stdio"}`, addr: "localhost:1", listen: "localhost:1"},
		{relay: wide, addr: "localhost:1", listen: "localhost:1"},
		{relay: wide, addr: "unix:/s", listen: "unix:/s", warns: 1}, // tls has no use there
		{relay: wide, addr: ":2", listen: ":2"},
		{relay: `{"http": {}}`, auth: "token", listen: "127.0.0.1:8000"},
		{relay: `{"http": {}}`, auth: "none", listen: "127.0.0.1:8000", warns: 1},
		{relay: free, auth: "none", fails: "--listen"},
		{relay: free, addr: "localhost:1", auth: "off", fails: "token or none"},
		{relay: free, addr: "0.0.0.0:9000", fails: "in the clear"},
		{relay: free, addr: "0.0.0.0:9000", auth: "none", fails: "anybody"},
		{relay: wide, auth: "none", fails: "anybody"},
		{relay: free, addr: "8000", fails: "not an address"},
		{relay: free, addr: "http://127.0.0.1:8000/mcp", fails: "not an address"},
		{relay: free, addr: "127.0.0.1:http", fails: "port"},
		{relay: free, addr: "127.0.0.1:65536", fails: "port"},
		{relay: free, addr: "127.0.0.1:+1", fails: "port"},
		{relay: free, addr: "a b:1", fails: "not an address"},
		{relay: free, addr: "unix:", fails: "path"},
		{relay: free, addr: "unix:@abstract", fails: "path"},
		{relay: free, addr: "unix:/" + strings.Repeat("x", 200), fails: "103"},
	} {
		c := load(t, "relay.json", `{"mcpServers": {"x": {"command": "c"}}, "relay": `+test.relay+`}`)
		before, known := c.Relay.HTTP, len(c.Warnings)
		err := c.ApplyListen(test.addr, test.auth)
		h := c.Relay.HTTP
		if test.fails != "" {
			if err == nil || !strings.Contains(err.Error(), test.fails) || !reflect.DeepEqual(h, before) {
				t.Errorf("%s %q %q: %v", test.relay, test.addr, test.auth, err)
			}
			continue
		}
		if err != nil || h.Listen != test.listen || h.Enabled != (test.listen != "") || len(c.Warnings)-known != test.warns ||
			c.Relay.Front.Transport == TypeHTTP != h.Enabled || test.auth != "" && h.Auth != test.auth {
			t.Errorf("%s %q %q: %v, %+v, warnings %v", test.relay, test.addr, test.auth, err, h, c.Warnings[known:])
		}
	}
}

// The name in listen is one that clients may use.
func TestListenNamesItself(t *testing.T) {
	c := load(t, "relay.yaml", "mcpServers: {x: {command: c}}\nrelay: {http: {listen: 'Relay.Example.com:8443', insecure: true}}\n")
	if got := c.Relay.HTTP.AllowedHosts; !reflect.DeepEqual(got, []string{"relay.example.com"}) {
		t.Errorf("hosts %q", got)
	}
	// However it is said, and nothing but what is listened on.
	for _, text := range []string{
		"mcpServers: {x: {command: c}}\nrelay: {http: {listen: 'other.example.com:8443', insecure: true}}\n",
		"mcpServers: {x: {command: c}}\nrelay: {http: {insecure: true}}\n",
	} {
		named := load(t, "relay.yaml", text, "MCP_RELAY_HOST=Relay.example.com")
		if got := named.Relay.HTTP.AllowedHosts; !reflect.DeepEqual(got, []string{"relay.example.com"}) {
			t.Errorf("hosts %q", got)
		}
		path := write(t, "relay.yaml", text)
		if _, err := Load(Options{Path: path, Environ: environ("MCP_RELAY_HOST=a b")}); err == nil || !strings.Contains(err.Error(), "MCP_RELAY_HOST") {
			t.Errorf("err %v", err)
		}
	}
	if err := c.ApplyListen("localhost:1", ""); err != nil || len(c.Relay.HTTP.AllowedHosts) != 1 {
		t.Errorf("hosts %q, %v", c.Relay.HTTP.AllowedHosts, err)
	}
	if err := c.ApplyListen("relay.example.com:2", ""); err != nil || len(c.Relay.HTTP.AllowedHosts) != 1 {
		t.Errorf("hosts %q, %v", c.Relay.HTTP.AllowedHosts, err)
	}
}

// A given token in the file itself is everybody's who can read the file.
func TestTokenInFileWarns(t *testing.T) {
	const file = `{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"tokens": {"a": "%"}}}}`
	for token, warned := range map[string]bool{"0123456789abcdef": true, "${T}": false} {
		c := load(t, "relay.json", strings.Replace(file, "%", token, 1), "T=0123456789abcdef")
		text := outcome(c, nil)
		if strings.Contains(text, "stands in the file") != warned || strings.Contains(text, "0123456789abcdef") {
			t.Errorf("%s: %s", token, text)
		}
	}
}

// Tokens come from the environment of the relay, never from a .env file.
func TestTokensNotFromDotenv(t *testing.T) {
	path := write(t, "relay.yaml", "mcpServers: {x: {command: c}}\nrelay: {http: {tokens: {a: '${T}'}}}\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".env"), []byte("T=0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{Path: path, Environ: environ()}); err == nil || !strings.Contains(err.Error(), "T is not set") {
		t.Errorf("err %v", err)
	}
}
