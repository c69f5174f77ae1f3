//go:build unix

package plugin

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWhoMayChangeTheProgram(t *testing.T) {
	t.Parallel()
	root := t.TempDir() // in a directory like /tmp, which everybody may write
	file := func(name string, dirMode, fileMode os.FileMode) string {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "program")
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(path, fileMode), os.Chmod(dir, dirMode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(root, "link")
	if err := os.Symlink(file("behind a link", 0o777, 0o755), link); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(root, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(root, "pipe")
	if err := syscall.Mkfifo(pipe, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path     string
		ok, permission bool
	}{
		{"ours", file("ours", 0o755, 0o755), true, false},
		{"sticky", file("sticky", os.ModeSticky|0o777, 0o755), true, false},
		{"file of the group", file("group file", 0o755, 0o775), false, true},
		{"file of all", file("file", 0o755, 0o757), false, true},
		{"directory of the group", file("group", 0o775, 0o755), false, true},
		{"directory of all", file("dir", 0o777, 0o755), false, true},
		{"link into a directory of all", link, false, true},
		{"loop", loop, false, false},
		{"pipe", pipe, false, true},
		{"directory", root, false, true},
		{"missing", filepath.Join(root, "missing"), false, false},
	} {
		p, err := openProgram(&Spec{Name: "x", Path: test.path})
		if (err == nil) != test.ok || errors.As(err, new(*PermissionError)) != test.permission {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil {
			p.close()
		}
	}
	if os.Getuid() != 0 {
		return
	}
	foreign := file("foreign", 0o755, 0o755)
	if err := os.Chown(foreign, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := openProgram(&Spec{Name: "x", Path: foreign}); !errors.As(err, new(*PermissionError)) {
		t.Errorf("a program of another user: %v", err)
	}
}

func TestRunDirectories(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(shortDir(t), "run")
	live, err := newRunDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer live.remove()
	dead, err := newRunDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead.path, "plugin1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dead.held.Close() // as the death of a relay does
	other := filepath.Join(parent, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	sweep(parent)
	for path, want := range map[string]bool{live.path: true, dead.path: false, other: true} {
		info, err := os.Lstat(path)
		if (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil && path == live.path && info.Mode().Perm() != 0o700 {
			t.Errorf("mode %s", info.Mode())
		}
	}
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := newRunDir(parent); !errors.As(err, new(*PermissionError)) {
		t.Errorf("an open run directory: %v", err)
	}
	if err := os.Chmod(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(parent), "link")
	if err := os.Symlink(parent, link); err != nil {
		t.Fatal(err)
	}
	if _, err := newRunDir(link); !errors.As(err, new(*PermissionError)) {
		t.Errorf("a link: %v", err)
	}
	if _, err := newRunDir(filepath.Join(parent, "a-name-that-is-far-too-long-for-the-address-of-a-socket-on-any-system-that-is-in-use-today")); err == nil {
		t.Error("a path that is too long was accepted")
	}
}
