package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/config"
)

func TestFloating(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"npx -y @scope/pkg", "@scope/pkg@V"},
		{"npx -y @scope/pkg@latest /tmp", "@scope/pkg@V"},
		{"npx -y @scope/pkg@^1.2", "@scope/pkg@V"},
		{"npx -y @scope/pkg@1.x", "@scope/pkg@V"},
		{"npx -y @scope/pkg@1.2.3 /tmp", ""},
		{"npx -y pkg@1.2.3", ""},
		{"npx --package=pkg -- bin", "pkg@V"},
		{"npx -p pkg@1.0.0 bin", ""},
		{`C:\node\npx.cmd -y pkg`, "pkg@V"},
		{"cmd /c npx -y pkg", "pkg@V"},
		{"npm exec -y pkg", "pkg@V"},
		{"npm run pkg", ""},
		{"npx ./local", ""},
		{"uvx mcp-server-git", "mcp-server-git==V"},
		{"uvx mcp-server-git==1.0", ""},
		{"uvx mcp-server-git@1.0", ""},
		{"uvx mcp-server-git@latest", "mcp-server-git==V"},
		{"uvx mcp-server-git>=1.0", "mcp-server-git==V"},
		{"uvx --from git+https://x/y@abc tool", ""},
		{"uvx --python 3.12 tool", "tool==V"},
		{"uv tool run tool", "tool==V"},
		{"uv run server.py", ""},
		{"docker run -i --rm -e A=b mcp/x", "mcp/x:V"},
		{"docker run -i --rm host:5000/mcp/x:latest", "host:5000/mcp/x:V"},
		{"docker run -i --rm host:5000/mcp/x:1.2", ""},
		{"docker run mcp/x@sha256:ab", ""},
		{"docker ps", ""},
		{"node server.js", ""},
		{"npx", ""},
		{"npx -p", ""},
		{"cmd /c", ""},
	} {
		words := strings.Fields(c.line)
		p, ok := floating(words[0], words[1:])
		got := ""
		if ok {
			got = p.pinned("V")
		}
		if got != c.want && (got != "" || !strings.Contains(c.line, `\`)) { // a path of Windows
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}

func FuzzFloating(f *testing.F) {
	f.Add("npx", "-y\x00@a/b@latest")
	f.Add("docker", "run\x00-e\x00x=y\x00a:b")
	f.Add("cmd", "/c\x00cmd\x00/c\x00uvx\x00a>=1")
	f.Fuzz(func(t *testing.T, command, args string) {
		if p, ok := floating(command, strings.Split(args, "\x00")); ok && p.name == "" {
			t.Error("a package without a name")
		}
	})
}

// The version that npx fetched last is told, and nothing above its directory is
// read, whatever the package is called.
func TestPinsKnowTheLastVersion(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, ".npm", "_npx", "abc", "node_modules", "@scope", "pkg")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"version":"1.2.3"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Servers: []config.Server{
		{Name: "a", Type: config.TypeStdio, Command: "npx", Args: []string{"-y", "@scope/pkg"}},
		{Name: "b", Type: config.TypeStdio, Command: "npx", Args: []string{"-y", "../../../x"}},
		{Name: "c", Type: config.TypeStdio, Command: "npx", Args: []string{"-y", "@scope/pkg"}, Disabled: true},
	}}
	r := Pins(cfg, home)
	if len(r) != 1 || !strings.Contains(r[0].Do, "@scope/pkg@1.2.3") || r[0].Subject != "a" {
		t.Errorf("%+v", r)
	}
	cfg.Servers = nil
	if r := Pins(cfg, home); len(r) != 1 || r[0].Status != OK {
		t.Errorf("%+v", r)
	}
}
