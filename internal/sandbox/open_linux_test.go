//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A program uses everything but what is hidden from it, however deep in its
// process tree and by whatever way.
func TestOpen(t *testing.T) {
	if landlockVersion() < scopesSince {
		t.Skip("this kernel cannot enforce everything")
	}
	home := t.TempDir()
	for _, path := range []string{
		".config/mcp-relay/relay.json", ".config/other/settings", ".cursor/mcp.json", ".cursor/rules", ".npm/cache", "notes/a.txt", ".claude.json",
	} {
		path = filepath.Join(home, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("canary"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(elsewhere, "state"), 0o700),
		os.WriteFile(filepath.Join(elsewhere, "state", "lock"), []byte("canary"), 0o600),
		os.Symlink(filepath.Join(elsewhere, "state"), filepath.Join(home, "state"))); err != nil {
		t.Fatal(err)
	}
	c, err := Open{Hidden: []string{
		filepath.Join(home, ".config/mcp-relay"), filepath.Join(home, ".cursor/mcp.json"), filepath.Join(home, ".claude.json"),
		filepath.Join(home, ".config/Claude/claude_desktop_config.json"), // is not there
		filepath.Join(home, "state"),                                     // a link
	}}.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, try := range []struct {
		command string
		works   bool
	}{
		{"cat notes/a.txt", true},
		{"echo x > notes/new.txt && mkdir -p notes/deep/er && mv notes/new.txt notes/deep/er/", true},
		{"echo x > .npm/new && cat .config/other/settings .cursor/rules", true},
		{"mv notes/deep .npm/deep", true}, // between directories that lie beside each other
		{"echo x > $(mktemp -p notes)", true},
		{"ls -a .config/mcp-relay", true}, // names are not hidden
		{"cat .config/mcp-relay/relay.json", false},
		{"sh -c 'sh -c \"cat .config/mcp-relay/relay.json\"'", false},
		{"echo x >> .config/mcp-relay/relay.json", false},
		{"echo x > .config/mcp-relay/new", false},
		{"rm .config/mcp-relay/relay.json", false},
		{"mv .config/mcp-relay .config/gone", false},
		{"mv .config notes/config", false},
		{"cat .cursor/mcp.json", false},
		{"cp notes/a.txt .cursor/new && mv .cursor/new .cursor/mcp.json", false},
		{"mv notes/a.txt .cursor/mcp.json", false},
		{"ln -s notes/a.txt .cursor/other.json", false},
		{"ln .cursor/mcp.json notes/hard", false},
		{"mkdir .config/Claude && echo x > .config/Claude/claude_desktop_config.json", false},
		{"cat .claude.json", false},
		{"cat state/lock", false},
		{"cat " + elsewhere + "/state/lock", false},
		{"rm state", false},
		{"ln -s " + home + "/.claude.json notes/soft; cat notes/soft", false},
		{"cat /proc/self/root" + home + "/.claude.json", false},
		{"cat /proc/" + strconv.Itoa(os.Getpid()) + "/root" + home + "/.claude.json", false},
		{"mount --bind notes .cursor", false},
		{"kill -0 " + strconv.Itoa(os.Getpid()), false},
		{"sleep 9 & kill $!", true},
	} {
		got := confined(t, c, modeShell, "cd "+home+" && "+try.command)
		if works := strings.HasSuffix(got, "it worked\n"); works != try.works {
			t.Errorf("%s: %s", try.command, got)
		}
	}
}

func TestOpenRefusesRelativePaths(t *testing.T) {
	if _, err := (Open{Hidden: []string{"relay.json"}}).Prepare(); err == nil {
		t.Error("a relative path was taken")
	}
}
