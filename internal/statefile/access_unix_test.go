//go:build unix

package statefile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRefusesWhatOthersAccess(t *testing.T) {
	d, path := create(t)
	if err := d.Write("x", nil); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601} {
		if err := os.Chmod(filepath.Join(path, "x"), mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Read("x", 10); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("a file with mode %o: %v", mode, err)
		}
	}
	for mode, refused := range map[os.FileMode]bool{0o700: false, 0o755: false, 0o770: true, 0o707: true, 0o720: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		again, err := Open(path)
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("a directory with mode %o: %v", mode, err)
		}
		if err == nil {
			again.Close()
		}
	}
}

func TestRefusesWhatOthersOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	d, path := create(t)
	if err := d.Write("x", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", ""} {
		if err := os.Chown(filepath.Join(path, name), 4711, 4711); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := d.Read("x", 10); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("a file: %v", err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("a directory: %v", err)
	}
}

// A link, even one that stays inside, and a pipe that would hang its reader.
func TestRefusesWhatIsNoFile(t *testing.T) {
	d, path := create(t)
	if err := d.Write("x", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("x", filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(path, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "pipe"} {
		if _, _, err := d.Read(name, 10); err == nil {
			t.Errorf("a %s was read", name)
		}
	}
	// What is written takes the place of the link, not of what it leads to.
	if err := d.Write("link", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if data, _, err := d.Read("x", 10); err != nil || len(data) != 0 {
		t.Errorf("%q, %v", data, err)
	}
}
