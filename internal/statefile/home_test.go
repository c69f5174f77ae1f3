package statefile

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestHomeIgnoresRelativeDirectories(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("XDG")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", "here")
	path, err := Home()
	if want := filepath.Join(home, ".local", "state", "mcp-relay"); err != nil || path != want {
		t.Errorf("Home() = %q, %v, want %q", path, err, want)
	}
	t.Setenv("HOME", "also-relative")
	if path, err := Home(); err == nil {
		t.Errorf("Home() = %q without a home", path)
	}
}
