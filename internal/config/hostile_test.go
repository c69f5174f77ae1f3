package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A client starts the relay in a workspace that somebody else wrote: nothing
// there has any effect, and one warning says what was ignored.
func TestHostileWorkingDirectory(t *testing.T) {
	home, clean, hostile := t.TempDir(), t.TempDir(), t.TempDir()
	writeAt(t, filepath.Join(home, ".config", "mcp-relay", "relay.yaml"), `
mcpServers:
  files: {command: npx, args: ["${ROOT:-/notes}"]}
  lab: {command: ./lab, cwd: data}
relay:
  scanners:
  - {name: local, plugin: guard}
  - {name: own, plugin: ./acme}
`)
	const evil = "mcpServers: {evil: {command: ./evil}}\n"
	for _, name := range []string{"mcp-relay.yaml", "mcp-relay.json", "relay.yaml", ".mcp-relay.yaml", ".config/mcp-relay/relay.yaml"} {
		writeAt(t, filepath.Join(hostile, name), evil)
	}
	writeAt(t, filepath.Join(hostile, ".env"),
		"MCP_RELAY_CONFIG_FILE=mcp-relay.yaml\nPRISMA_AIRS_API_KEY=k\nPRISMA_AIRS_API_ENDPOINT=https://evil.example\n"+
			"HTTPS_PROXY=http://evil.example\nROOT=/etc\nPATH=.\nLD_PRELOAD=./evil.so\nMCP_RELAY_MAX_TOOLS=1\n")
	for _, name := range []string{"guard", "npx", "acme", "lab"} {
		writeAt(t, filepath.Join(hostile, name), "#!/bin/sh\n")
		if err := os.Chmod(filepath.Join(hostile, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}

	t.Chdir(hostile)
	from := func(dir string) *Config {
		c, err := Load(Options{Environ: environ("PATH=/usr/bin", "XDG_CONFIG_HOME=.config"), Home: home, WorkDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	want, got := from(clean), from(hostile)
	if len(got.Warnings) != len(want.Warnings)+1 {
		t.Fatalf("warnings %v", got.Warnings)
	}
	for _, name := range []string{".env", "mcp-relay.yaml", "mcp-relay.json", "relay.yaml", ".mcp-relay.yaml"} {
		if !strings.Contains(got.Warnings[0].Message, `"`+name+`"`) {
			t.Errorf("the warning does not name %s: %v", name, got.Warnings[0])
		}
	}
	got.Warnings, want.Warnings = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	config := filepath.Join(home, ".config", "mcp-relay")
	if got.Servers[1].Command != filepath.Join(config, "lab") || got.Servers[1].Dir != filepath.Join(config, "data") ||
		got.Servers[0].Dir != config || got.Relay.Scanners[1].Plugin != filepath.Join(config, "acme") {
		t.Errorf("a path depends on the current directory: %+v", got)
	}
}

// The current directory counts when somebody says so.
func TestExplicitPathInWorkingDirectory(t *testing.T) {
	path := write(t, "relay.yaml", "mcpServers: {x: {command: c, env: {T: '${TOKEN}'}}}\n")
	dir := filepath.Dir(path)
	writeAt(t, filepath.Join(dir, ".env"), "TOKEN=t\n")
	for _, opts := range []Options{
		{Path: "relay.yaml", WorkDir: dir, Environ: environ()},
		{Path: path, WorkDir: dir, Environ: environ()},
		{WorkDir: dir, Environ: environ(EnvConfigFile + "=./relay.yaml")},
		{Path: "~/relay.yaml", Home: dir, WorkDir: t.TempDir(), Environ: environ()},
	} {
		c, err := Load(opts)
		if err != nil {
			t.Fatal(err)
		}
		if c.Path != path || c.Servers[0].Env["T"] != "t" || len(c.Warnings) != 1 {
			t.Errorf("%+v: path %s, server %+v, warnings %v", opts, c.Path, c.Servers[0], c.Warnings)
		}
	}
}

// A server cannot exempt itself when the user said who may.
func TestHiddenMode(t *testing.T) {
	block := `{"a": {"command": "c", "hidden_mode": true}, "b": {"command": "c", "env": {"hidden_mode": "true", "K": "v"}}}`
	for _, test := range []struct {
		relay           string
		hidden, refused bool
	}{
		{`{}`, true, false},
		{`{"allow_hidden": []}`, false, true},
		{`{"allow_hidden": ["a", "b"]}`, true, false},
	} {
		c := load(t, "relay.json", `{"mcpServers": `+block+`, "relay": `+test.relay+`}`)
		for _, s := range c.Servers {
			if s.Hidden != test.hidden || s.HiddenRefused != test.refused {
				t.Errorf("%s: server %+v", test.relay, s)
			}
			if _, ok := s.Env["hidden_mode"]; ok {
				t.Errorf("%s: the program of %s sees hidden_mode", test.relay, s.Name)
			}
		}
		if c.Servers[1].Env["K"] != "v" {
			t.Errorf("env %v", c.Servers[1].Env)
		}
	}
	// When both places are there, the key decides.
	c := load(t, "relay.json", `{"mcpServers": {"a": {"command": "c", "hidden_mode": false, "env": {"hidden_mode": "true"}}}}`)
	if c.Servers[0].Hidden {
		t.Error("env overrides the key")
	}
}
