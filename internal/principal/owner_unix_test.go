//go:build unix

package principal

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// store makes a directory with a first token.
func store(t *testing.T) (dir string, s *Store) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "mcp-relay")
	s = open(t, dir)
	if _, err := s.Ensure(); err != nil {
		t.Fatal(err)
	}
	return dir, s
}

func TestRefusesWhatOthersAccess(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o666} {
		dir, s := store(t)
		if err := os.Chmod(filepath.Join(dir, plainFile), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Generated(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("token with mode %o: %v", mode, err)
		}
		if err := os.Chmod(filepath.Join(dir, storeFile), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("tokens with mode %o: %v", mode, err)
		}
		if _, err := s.Add("alice"); err == nil {
			t.Errorf("tokens with mode %o were changed", mode)
		}
	}
	for _, mode := range []os.FileMode{0o770, 0o707, 0o720} {
		dir, s := store(t)
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("a directory with mode %o: %v", mode, err)
		}
		if _, err := s.Add("alice"); err == nil {
			t.Errorf("a directory with mode %o was changed", mode)
		}
	}
}

func TestRefusesWhatOthersOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for _, name := range []string{"", storeFile} {
		dir, s := store(t)
		if err := os.Chown(filepath.Join(dir, name), 4711, 4711); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := s.Add("alice"); err == nil {
			t.Errorf("%q was changed", name)
		}
	}
}

// A name that leads elsewhere, and a pipe that would hang its reader.
func TestRefusesWhatIsNoFile(t *testing.T) {
	dir, s := store(t)
	path := filepath.Join(dir, storeFile)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.json")
	if err := os.Rename(path, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); err == nil {
		t.Error("a link out of the directory was followed")
	}
	for _, name := range []string{storeFile, plainFile} {
		file := filepath.Join(dir, name)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Generated(); err == nil {
			t.Errorf("a pipe %s was read", name)
		}
	}
	if _, err := Open(Options{Dir: dir}); err == nil {
		t.Error("a pipe was read")
	}
}
