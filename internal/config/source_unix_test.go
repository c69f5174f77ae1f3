//go:build unix

package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRefusesWhatOthersWrite(t *testing.T) {
	for _, mode := range []os.FileMode{0o620, 0o602, 0o666} {
		path := write(t, "relay.json", oneServer)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Options{Path: path, Environ: environ()})
		if err == nil || !strings.Contains(err.Error(), "group or others may write") || !strings.Contains(err.Error(), "chmod go-w") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	path := write(t, "relay.json", `{"mcpServers": {"x": {"command": "${TOOL}"}}}`)
	env := filepath.Join(filepath.Dir(path), ".env")
	writeAt(t, env, "TOOL=c\n")
	if _, err := Load(Options{Path: path, Environ: environ()}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(env, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{Path: path, Environ: environ()}); err == nil || !strings.Contains(err.Error(), env) {
		t.Errorf("err %v", err)
	}
}

func TestRefusesWhatOthersOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	path := write(t, "relay.json", oneServer)
	if err := os.Chown(path, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{Path: path, Environ: environ()}); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("err %v", err)
	}
}

// A FIFO would hang a plain open for ever.
func TestRefusesWhatIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Dir(path)} {
		if _, err := Load(Options{Path: p, Environ: environ()}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("err %v", err)
		}
	}
}

func TestLeavesItselfOut(t *testing.T) {
	dir := t.TempDir()
	self, link := filepath.Join(dir, "relay"), filepath.Join(dir, "bin", "other")
	writeAt(t, self, "x")
	writeAt(t, filepath.Join(dir, "bin", "npx"), "y")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	path := write(t, "relay.json", `{"mcpServers": {
		"a": {"command": "`+self+`"},
		"b": {"command": "other", "args": ["run"]},
		"c": {"command": "sudo", "args": ["-n", "`+link+`"]},
		"d": {"command": "sh", "args": ["-c", "exec `+self+` run"]},
		"e": {"command": "npx", "args": ["relay"]},
		"f": {"command": "`+self+`", "args": ["play"]}}}`)
	c, err := Load(Options{
		Path: path, Environ: environ("PATH=" + filepath.Join(dir, "bin")), Executable: self, OwnServers: []string{"play"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Servers) != 2 || c.Servers[0].Name != "e" || c.Servers[1].Name != "f" {
		t.Errorf("servers %+v", c.Servers)
	}
	if n := strings.Count(outcome(c, nil), "this server is the relay itself"); n != 4 {
		t.Errorf("%d warnings: %v", n, c.Warnings)
	}
}
