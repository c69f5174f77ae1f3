//go:build unix

package pluginstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Nothing but regular files is installed, and nothing from outside.
func TestHostileDirectories(t *testing.T) {
	for name, plant := range map[string]func(dir string) error{
		"is a symbolic link": func(dir string) error { return os.Symlink("/etc/passwd", filepath.Join(dir, "lib", "x")) },
		"is a symbolic link:": func(dir string) error { // of a directory
			return os.Symlink("/etc", filepath.Join(dir, "etc"))
		},
		"(a hard link)":          func(dir string) error { return os.Link(filepath.Join(dir, "lib", "b.py"), filepath.Join(dir, "x")) },
		"setuid":                 func(dir string) error { return os.Chmod(filepath.Join(dir, "lib", "b.py"), 0o755|os.ModeSetuid) },
		"is not a regular file":  func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600) },
		"has a name that cannot": func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\x1b[31m"), nil, 0o600) },
		"has a name that":        func(dir string) error { return os.WriteFile(filepath.Join(dir, `..\x`), nil, 0o600) },
		"lies too deep": func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, strings.Repeat("d/", maxDepth+1)), 0o755)
		},
		"512 MiB": func(dir string) error { return os.Truncate(filepath.Join(dir, "lib", "b.py"), maxFileSize+1) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t), tree(t)
			if err := plant(dir); err != nil {
				t.Fatal(err)
			}
			st, err := s.Stage(t.Context(), dir, "")
			if err == nil {
				st.Discard()
			}
			if e, ok := errors.AsType[*FileError](err); !ok || !strings.Contains(e.Error(), name) {
				t.Errorf("%v", err)
			}
			if left, _ := os.ReadDir(filepath.Join(s.Dir, directory)); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestHostileFiles(t *testing.T) {
	s, dir := newStore(t), t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o700), os.Symlink("/bin/sh", link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link, "/dev/null", filepath.Join(dir, "nothing")} {
		if st, err := s.Stage(t.Context(), path, ""); err == nil {
			st.Discard()
			t.Errorf("%s was taken", path)
		}
	}
}

// A store that others can write to is not used.
func TestOpenStore(t *testing.T) {
	s := newStore(t)
	mustInstall(t, s, tree(t), "acme", "1")
	if err := os.Chmod(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(); err == nil {
		t.Error("it was read")
	}
	if _, err := s.Stage(t.Context(), tree(t), ""); err == nil {
		t.Error("it was written")
	}
}

// A link in the place of a directory of the store leads nowhere.
func TestLinkedDirectory(t *testing.T) {
	s, outside := newStore(t), t.TempDir()
	if err := errors.Join(os.MkdirAll(s.Dir, 0o700), os.Symlink(outside, filepath.Join(s.Dir, directory))); err != nil {
		t.Fatal(err)
	}
	if _, err := install(t, s, tree(t), "acme", "1", false); err == nil {
		t.Error("it was installed through a link")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}
