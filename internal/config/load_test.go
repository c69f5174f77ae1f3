package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// environ makes an environment of NAME=value words.
func environ(words ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, w := range words {
			if k, v, _ := strings.Cut(w, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
}

// write puts a file into a directory of its own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	writeAt(t, path, text)
	return path
}

func writeAt(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load loads text that must be in order.
func load(t *testing.T, name, text string, env ...string) *Config {
	t.Helper()
	c, err := Load(Options{Path: write(t, name, text), Environ: environ(env...)})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return c
}

const oneServer = `{"mcpServers": {"files": {"command": "npx"}}}`

func TestDefaults(t *testing.T) {
	c := load(t, "relay.json", oneServer)
	want := Relay{
		Naming: "prefix", MaxName: 50, StartTimeout: 10 * time.Second, CallTimeout: 10 * time.Minute, RelistInterval: 24 * time.Hour,
		MaxServers: 128, MaxTools: 4000, MaxMessage: 16 << 20, LogLevel: "info",
		Front: Front{Transport: "stdio", Host: "127.0.0.1", Port: 8000},
		HTTP: HTTP{
			Path: "/mcp", Auth: AuthToken, MaxSessions: 1000, MaxStreams: 4000, MaxParked: 1000, SessionIdle: 30 * time.Minute, SSE: true,
		},
		Limits:   Limits{SessionsPerPrincipal: 200, StreamsPerPrincipal: 1000, ParkedPerPrincipal: 100, ChildrenPerPrincipal: 256},
		PageSize: 1000, ParkedTTL: 10 * time.Minute, MaxInputRounds: 8,
		ServerRequests: Requests{Sampling: true, Elicitation: true, ElicitationURL: true, Roots: true},
		ScanBudget:     10 * time.Second, Uninspected: Auto, Watch: true,
		Definitions: Definitions{
			Drift: DriftGraded, Wording: DriftFlag, Schema: DriftHold, Default: DriftHold, Annotation: DriftHold,
			URL: DriftHold, Renamed: DriftHold, New: DriftFlag,
		},
		VerdictCache: Cache{Memory: 16 << 20, Disk: true, TTL: 24 * time.Hour},
		Audit:        Audit{OnError: PolicyBlock, MaxSizeMB: 100, MaxBackups: 5},
		Scanners: []Scanner{{
			Name: "guard", Plugin: "guard", Bundled: true, Phases: verdict.Phases, Servers: []string{"*"},
			Mode: ModeEnforce, OnError: PolicyBlock, OnContentError: PolicyBlock, Cache: Auto, Sandbox: Auto, Timeout: 5 * time.Second,
		}},
		ScannersImplied: "there are no AIRS credentials: guard judges everything, on this machine",
	}
	if !reflect.DeepEqual(c.Relay, want) {
		t.Errorf("relay:\n%+v\nwant\n%+v", c.Relay, want)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Message, "no AIRS credentials") {
		t.Errorf("warnings: %v", c.Warnings)
	}
	s := c.Servers[0]
	if s.Type != TypeStdio || s.Command != "npx" || s.Dir != filepath.Dir(c.Path) ||
		s.Protocol != ProtocolAuto || s.Requests != c.Relay.ServerRequests || s.OAuth != nil {
		t.Errorf("server: %+v", s)
	}
}

// Formats of the same content give the same configuration.
func TestFormats(t *testing.T) {
	files := map[string]string{
		"a.json":  `{"mcpServers":{"x":{"command":"c","args":["-y","1"],"env":{"V":1.10,"B":true,"U":"😀"}}},"relay":{"max_tools":10}}`,
		"b.jsonc": "// head\n{ /* x */ \"mcpServers\":{\"x\":{\"command\":\"c\",\"args\":[\"-y\",\"1\",],\"env\":{\"V\":1.10,\"B\":true,\"U\":\"\\ud83d\\ude00\",},},}, \"relay\":{\"max_tools\":10,}, // tail\n}",
		"c.yaml":  "mcpServers:\n  x:\n    command: c\n    args: [-y, 1]\n    env:\n      V: 1.10\n      B: true\n      U: \"\\U0001F600\"\nrelay: {max_tools: 10}\n",
		"d.yaml":  "common: &e {V: 1.10, B: true}\nmcpServers:\n  x:\n    command: c\n    args:\n    - -y\n    - !!str 1\n    env:\n      <<: *e\n      U: 😀\nrelay:\n  max_tools: 10\n",
		"e.conf":  "\ufeff{\"mcpServers\":{\"x\":{\"command\":\"c\",\"args\":[\"-y\",1],\"env\":{\"V\":1.10,\"B\":true,\"U\":\"😀\"}}},\"relay\":{\"max_tools\":10}}",
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			c := load(t, name, text)
			s := c.Servers[0]
			wantEnv := map[string]string{"V": "1.10", "B": "true", "U": "😀"}
			if !reflect.DeepEqual(s.Env, wantEnv) || !reflect.DeepEqual(s.Args, []string{"-y", "1"}) || c.Relay.MaxTools != 10 {
				t.Errorf("got %+v, max_tools %d", s, c.Relay.MaxTools)
			}
		})
	}
}

func TestScannerConfigKeepsNumbers(t *testing.T) {
	c := load(t, "relay.yaml", "mcpServers: {x: {command: c}}\nrelay:\n  scanners:\n  - name: a\n    plugin: noop\n    config: {f: 1.10, i: 0x1F, n: 12345678901234567890, s: \"<\", e: null, l: [yes, true], t: \"${T}\"}\n", "T=a\"b")
	const want = `{"f":1.10,"i":31,"n":12345678901234567890,"s":"\u003c","e":null,"l":["yes",true],"t":"a\"b"}`
	if got := string(c.Relay.Scanners[0].Config); got != want || !json.Valid([]byte(got)) {
		t.Errorf("config %s, want %s", got, want)
	}
}
