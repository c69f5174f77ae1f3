package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// keys decodes the configuration of a scanner.
func keys(t *testing.T, raw json.RawMessage) map[string]string {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("config %s: %v", raw, err)
	}
	return m
}

const airsScanner = "mcpServers: {x: {command: c}}\nrelay: {scanners: [{name: airs, plugin: panscanner, config: %s}]}\n"

func TestCredentials(t *testing.T) {
	type want = map[string]string
	for _, test := range []struct {
		name, config string
		env          []string
		want         want
	}{
		{"sdk", "{}", []string{"PANW_AI_SEC_API_KEY=k", "PANW_AI_SEC_API_ENDPOINT=https://e", "PANW_AI_PROFILE_NAME=p"},
			want{"api_key": "k", "endpoint": "https://e", "profile": "p"}},
		{"pan-mcp-relay", "{}", []string{"PRISMA_AIRS_API_KEY=k", "PRISMA_AIRS_API_ENDPOINT=https://e", "PRISMA_AIRS_AI_PROFILE= p\n"},
			want{"api_key": "k", "endpoint": "https://e", "profile": "p"}},
		{"order", "{}", []string{
			"PANW_AI_SEC_API_KEY=k3", "PRISMA_AIRS_API_KEY=k2", "MCP_RELAY_AIRS_API_KEY=k1",
			"PANW_AI_PROFILE_NAME=p3", "PANW_AI_PROFILE_ID=p2", "PRISMA_AIRS_AI_PROFILE=p1",
		}, want{"api_key": "k1", "profile": "p1"}},
		{"id before name", "{}", []string{"PANW_AI_PROFILE_NAME=n", "PANW_AI_PROFILE_ID=i", "PANW_AI_SEC_API_TOKEN=t"}, want{"api_token": "t", "profile": "i"}},
		{"empty is unset", "{}", []string{"PRISMA_AIRS_API_KEY=", "PANW_AI_SEC_API_KEY=k"}, want{"api_key": "k"}},
		{"a key of its own stays with its endpoint", "{api_key: own}", []string{"PRISMA_AIRS_API_KEY=k", "PRISMA_AIRS_API_ENDPOINT=https://e", "PRISMA_AIRS_AI_PROFILE=p"},
			want{"api_key": "own", "profile": "p"}},
		{"region", "{region: de, profile: own}", []string{"PRISMA_AIRS_API_KEY=k", "PRISMA_AIRS_API_ENDPOINT=https://e", "PRISMA_AIRS_AI_PROFILE=p"},
			want{"api_key": "k", "region": "de", "profile": "own"}},
		{"proxy and ca", "{api_key: own}", []string{"https_proxy=http://proxy:3128", "SSL_CERT_FILE=/ca.pem", "REQUESTS_CA_BUNDLE=/other.pem"},
			want{"api_key": "own", "proxy": "http://proxy:3128", "ca_file": "/ca.pem"}},
		{"relative ca", "{api_key: own}", []string{"SSL_CERT_FILE=ca.pem"}, want{"api_key": "own"}},
		{"no proxy", "{api_key: own}", []string{"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=.paloaltonetworks.com"}, want{"api_key": "own"}},
		{"no proxy for an endpoint", "{api_key: own, endpoint: 'https://airs.corp.example'}", []string{"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=corp.example"},
			want{"api_key": "own", "endpoint": "https://airs.corp.example"}},
		{"own proxy", "{api_key: own, proxy: 'http://own:1', ca_file: /own.pem}", []string{"HTTPS_PROXY=http://proxy:3128", "SSL_CERT_FILE=/ca.pem"},
			want{"api_key": "own", "proxy": "http://own:1", "ca_file": "/own.pem"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := load(t, "relay.yaml", strings.Replace(airsScanner, "%s", test.config, 1), test.env...)
			if got := keys(t, c.Relay.Scanners[0].Config); !reflect.DeepEqual(got, test.want) {
				t.Errorf("config %v, want %v", got, test.want)
			}
		})
	}
}

func TestImpliedScanners(t *testing.T) {
	c := load(t, "relay.json", oneServer, "PRISMA_AIRS_API_KEY=k", "PRISMA_AIRS_AI_PROFILE=p")
	airs, guard := c.Relay.Scanners[0], c.Relay.Scanners[1]
	if airs.Plugin != "panscanner" || !airs.Bundled || !reflect.DeepEqual(keys(t, airs.Config), map[string]string{"api_key": "k", "profile": "p"}) {
		t.Errorf("airs %+v", airs)
	}
	for _, phase := range verdict.Phases {
		if airs.Covers("files", phase) == guard.Covers("files", phase) {
			t.Errorf("%s: airs %v, guard %v", phase, airs.Covers("files", phase), guard.Covers("files", phase))
		}
	}
	if !guard.Covers("files", verdict.Notification) || guard.Config != nil {
		t.Errorf("guard %+v", guard)
	}
	if len(c.Warnings) != 0 || !strings.Contains(c.Relay.ScannersImplied, "PRISMA_AIRS_API_KEY") || strings.Contains(c.Relay.ScannersImplied, "=k") {
		t.Errorf("implied %q, warnings %v", c.Relay.ScannersImplied, c.Warnings)
	}
}

// Only the bundled AIRS scanner gets the AIRS credentials.
func TestCredentialsGoNowhereElse(t *testing.T) {
	c := load(t, "relay.yaml", "mcpServers: {x: {command: c}}\nrelay: {scanners: [{name: panscanner, plugin: ./panscanner}, {name: g, plugin: guard, config: {}}]}\n",
		"PRISMA_AIRS_API_KEY=k", "HTTPS_PROXY=http://p", "SSL_CERT_FILE=/ca")
	for _, s := range c.Relay.Scanners {
		if len(s.Config) > len("{}") {
			t.Errorf("%s gets %s", s.Name, s.Config)
		}
	}
}

const panFile = `
mcpRelay:
  apiKey: |
    ${KEY}
  ai-profile: " from-file "
  api_endpoint: https://service-de.api.aisecurity.paloaltonetworks.com
  transport: sse
  toolRegistryCacheTtl: 300
  MaxMcpServers: 32
  maxmcptools: 256
  log_level: 10
  custom_ca_file: /etc/ca.pem
  use_system_ca: true
  show_config: false
mcpServers:
  pan-aisecurity:
    command: python
    args: [pan_security_server.py]
    env: {hidden_mode: enabled}
  homebrew:
    command: brew
    args:
      - mcp-server
    cwd: "${PREFIX}"
    env:
      HOMEBREW_NO_ENV_HINTS: 1
  remote: {url: "https://example.com/sse", headers: {Authorization: Bearer x}, timeout: 30.0, sse_read_timeout: 30, terminate_on_close: false}
  typed: {type: http, url: "https://example.com/sse"}
`

// A file made for pan-mcp-relay loads as it is.
func TestPanMCPRelayFile(t *testing.T) {
	c := load(t, "mcp-relay.yaml", panFile, "KEY=k", "PREFIX=/opt/brew")
	r := c.Relay
	if r.Front.Transport != TypeHTTP || !r.HTTP.SSE || r.HTTP.Listen != "127.0.0.1:8000" || r.RelistInterval != 5*time.Minute || r.MaxServers != 32 || r.MaxTools != 256 || r.LogLevel != "debug" {
		t.Errorf("relay %+v", r)
	}
	want := map[string]string{
		"api_key": "k", "profile": "from-file", "ca_file": "/etc/ca.pem",
		"endpoint": "https://service-de.api.aisecurity.paloaltonetworks.com",
	}
	if got := keys(t, r.Scanners[0].Config); !reflect.DeepEqual(got, want) {
		t.Errorf("config %v", got)
	}
	s := c.Servers
	if !s[0].Hidden || s[1].Env["HOMEBREW_NO_ENV_HINTS"] != "1" || s[1].Dir != "/opt/brew" ||
		s[2].Type != TypeSSE || s[2].Timeout != 30*time.Second || s[3].Type != TypeHTTP {
		t.Errorf("servers %+v", s)
	}
	if len(c.Warnings) != 1 { // hidden_mode
		t.Errorf("warnings %v", c.Warnings)
	}
}

// Flags are stronger than the environment, which is stronger than relay, which
// is stronger than mcpRelay.
func TestPrecedence(t *testing.T) {
	const text = "mcpServers: {x: {command: c}}\nmcpRelay: {maxMcpTools: 1, port: 1, maxMcpServers: 1, apiKey: k1}\nrelay: {max_tools: 2, port: 2}\n"
	c, err := Load(Options{
		Path:    write(t, "relay.yaml", text),
		Environ: environ("MCP_RELAY_MAX_TOOLS=3", "MCP_RELAY_LOG_LEVEL=WARNING", "MCP_RELAY_TRANSPORT=HTTP", "MCP_RELAY_TOOL_CACHE_TTL=60", "PRISMA_AIRS_API_KEY=k2"),
		Flags:   map[string]string{"max_tools": "4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := c.Relay
	if r.MaxTools != 4 || r.Front.Port != 2 || r.MaxServers != 1 || r.LogLevel != "warn" || r.Front.Transport != "http" || r.RelistInterval != time.Minute {
		t.Errorf("relay %+v", r)
	}
	if key := keys(t, r.Scanners[0].Config)["api_key"]; key != "k2" {
		t.Errorf("key %q", key)
	}
}
