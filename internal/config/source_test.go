package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSearchPaths(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct {
		goos string
		env  []string
		want []string // some of the paths, in this order, relative to home
	}{
		{"linux", nil, []string{
			".config/mcp-relay/mcp-relay.yaml", ".config/mcp-relay/mcp-relay.yml", ".config/mcp-relay/mcp-relay.json",
			".config/mcp-relay/relay.yaml", ".config/pan-mcp-relay/mcp-relay.yaml", ".mcp-relay.yaml", ".mcp-relay.json",
		}},
		{"linux", []string{"XDG_CONFIG_HOME=" + filepath.Join(home, "xdg")}, []string{"xdg/mcp-relay/relay.yaml", ".config/mcp-relay/relay.yaml"}},
		{"linux", []string{"XDG_CONFIG_HOME=relative"}, []string{".config/mcp-relay/relay.yaml"}},
		{"darwin", nil, []string{".config/mcp-relay/relay.yaml", "Library/Application Support/mcp-relay/relay.yaml"}},
		{"windows", []string{"APPDATA=" + filepath.Join(home, "roaming")}, []string{".config/mcp-relay/relay.yaml", "roaming/mcp-relay/relay.yaml"}},
	} {
		paths := SearchPaths(Options{Environ: environ(test.env...), Home: home, goos: test.goos})
		last := -1
		for _, want := range test.want {
			i := slices.Index(paths, filepath.Join(home, filepath.FromSlash(want)))
			if i <= last {
				t.Errorf("%s %v: %s at %d after %d in %q", test.goos, test.env, want, i, last, paths)
			}
			last = i
		}
		for _, p := range paths {
			if !filepath.IsAbs(p) {
				t.Errorf("%s %v: %s depends on the current directory", test.goos, test.env, p)
			}
		}
	}
	if paths := SearchPaths(Options{Environ: environ(), Home: ""}); len(paths) != 0 {
		t.Errorf("without a home: %q", paths)
	}
}

func TestFirstFileWins(t *testing.T) {
	home := t.TempDir()
	first, second := filepath.Join(home, ".config", "mcp-relay", "relay.json"), filepath.Join(home, ".mcp-relay.yaml")
	writeAt(t, first, oneServer)
	writeAt(t, second, oneServer)
	c, err := Load(Options{Environ: environ(), Home: home, goos: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != first || !strings.Contains(c.Warnings[0].Message, second) {
		t.Errorf("path %s, warnings %v", c.Path, c.Warnings)
	}
}

func TestFileTooLong(t *testing.T) {
	path := write(t, "relay.json", oneServer+strings.Repeat(" ", maxFile))
	if _, err := Load(Options{Path: path, Environ: environ()}); err == nil || !strings.Contains(err.Error(), "longer than 1024 KiB") {
		t.Errorf("err %v", err)
	}
	for text, want := range map[string]string{
		strings.Repeat("\n", maxYAMLLines+1):               "3001 lines",
		strings.Repeat("a: b\r", maxYAMLLines+1):           "3001 lines",
		"a: [" + strings.Repeat("a,", maxYAMLTokens) + "]": "words and marks",
		strings.Repeat("- ", 100) + "a":                    "nested too deeply",
		"a: [" + strings.Repeat("&a b, ", 600) + "]":       "anchors, aliases and tags",
		"a:\n" + strings.Repeat(" ", 300) + "b: c":         "indented by more than 200 columns",
	} {
		path = write(t, "relay.yaml", text)
		if _, err := Load(Options{Path: path, Environ: environ()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

func TestNotUTF8(t *testing.T) {
	path := write(t, "relay.json", "{\n \"mcpServers\": \"\xff\"}")
	if _, err := Load(Options{Path: path, Environ: environ()}); err == nil || !strings.Contains(err.Error(), ":2:17: the file is not valid UTF-8") {
		t.Errorf("err %v", err)
	}
}

func TestDotenvLine(t *testing.T) {
	for _, test := range []struct {
		line, name, value string
		ok                bool
	}{
		{"", "", "", true},
		{"# x", "", "", true},
		{"A=b", "A", "b", true},
		{" export A = b # remark", "A", "b", true},
		{"A=b#c", "A", "b#c", true},
		{`A="b # c" # d`, "A", "b # c", true},
		{`A="b\n\"c\"\$x\q"`, "A", "b\n\"c\"$x\\q", true},
		{`A='b\n${X}'`, "A", `b\n${X}`, true},
		{"A=", "A", "", true},
		{"A=b=c\r", "A", "b=c", true},
		{"A", "", "", false},
		{"1A=b", "", "", false},
		{`A="b`, "A", "", false},
		{`A="b"c`, "A", "b", false},
	} {
		name, value, ok := parseDotenvLine(test.line)
		if name != test.name || value != test.value || ok != test.ok {
			t.Errorf("%q: %q %q %v", test.line, name, value, ok)
		}
	}
}

func TestDeniedVariables(t *testing.T) {
	for _, name := range []string{
		"PATH", "Path", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS", "HTTPS_PROXY", "https_proxy", "NO_PROXY",
		"MCP_RELAY_CONFIG_FILE", "PRISMA_AIRS_API_ENDPOINT", "PANW_AI_SEC_API_KEY", "PYTHONPATH", "SSL_CERT_FILE",
	} {
		if !deniedVariable(name) {
			t.Errorf("%s is allowed", name)
		}
	}
	if deniedVariable("GITHUB_TOKEN") {
		t.Error("GITHUB_TOKEN is denied")
	}
}
