package pluginstore

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	return &Store{Dir: filepath.Join(t.TempDir(), "store"), Reserved: []string{"guard"}}
}

// tree makes a directory with a program, a rule file and a library.
func tree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "acme")
	put(t, filepath.Join(dir, "acme"), "#!/bin/sh\n", 0o755)
	put(t, filepath.Join(dir, "rules", "a.txt"), "rule", 0o644)
	put(t, filepath.Join(dir, "lib", "b.py"), "code", 0o666)
	return dir
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// install installs source under a name and version.
func install(t *testing.T, s *Store, source, name, version string, force bool) (Plugin, error) {
	t.Helper()
	st, err := s.Stage(t.Context(), source, "")
	if err != nil {
		return Plugin{}, err
	}
	defer st.Discard()
	st.Name, st.Version = name, version
	return st.Commit(t.Context(), force)
}

func mustInstall(t *testing.T, s *Store, source, name, version string) Plugin {
	t.Helper()
	p, err := install(t, s, source, name, version, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestInstall(t *testing.T) {
	s, dir := newStore(t), tree(t)
	p := mustInstall(t, s, dir, "acme", "1.0.0")
	if p.Entry != "acme" || !p.Script || len(p.Files) != 2 || p.Source != dir {
		t.Errorf("%+v", p)
	}
	if problems := s.Verify(&p); len(problems) > 0 {
		t.Error(problems)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{
			"": 0o700, "acme": 0o500, "rules": 0o700, "rules/a.txt": 0o400, "lib/b.py": 0o400,
		} {
			if info, err := os.Stat(filepath.Join(s.Tree(&p), name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%q: %v, %v", name, info.Mode(), err)
			}
		}
	}
	single := mustInstall(t, s, filepath.Join(dir, "acme"), "acme", "2.0.0")
	if len(single.Files) != 0 || single.Checksum() != single.SHA256 {
		t.Errorf("%+v", single)
	}
	for version, want := range map[string]string{"": "2.0.0", "1.0.0": "1.0.0"} {
		if got, err := s.Find("acme", version); err != nil || got.Version != want {
			t.Errorf("%q: %v, %v", version, got.Version, err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(s.Dir, directory, stagingName+"*"))
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if gone, err := s.Remove(t.Context(), "acme", ""); err != nil || len(gone) != 2 {
		t.Errorf("%v, %v", gone, err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, directory, "acme")); err == nil {
		t.Error("files are left")
	}
	if _, err := s.Find("acme", ""); !errors.Is(err, ErrNotInstalled) {
		t.Error(err)
	}
}

func TestInstallAgain(t *testing.T) {
	s, dir := newStore(t), tree(t)
	first := mustInstall(t, s, dir, "acme", "1.0.0")
	mustInstall(t, s, dir, "acme", "1.0.0")
	put(t, filepath.Join(dir, "rules", "a.txt"), "other", 0o644)
	if _, err := install(t, s, dir, "acme", "1.0.0", false); !errors.Is(err, ErrExists) {
		t.Errorf("other files took the place: %v", err)
	}
	if problems := s.Verify(&first); len(problems) > 0 {
		t.Error(problems)
	}
	second, err := install(t, s, dir, "acme", "1.0.0", true)
	if err != nil || second.Checksum() == first.Checksum() {
		t.Error(err)
	}
	if problems := s.Verify(&second); len(problems) > 0 {
		t.Error(problems)
	}
	if all, err := s.List(); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
}

func TestNames(t *testing.T) {
	s, dir := newStore(t), tree(t)
	for _, c := range []struct {
		name, version string
		want          error
	}{
		{"../../x", "1", ErrName},
		{"a..b", "1", ErrName},
		{"", "1", ErrName},
		{".staging-x", "1", ErrName},
		{"a/b", "1", ErrName},
		{"Acme", "1", ErrName},
		{"a\x00", "1", ErrName},
		{strings.Repeat("a", 65), "1", ErrName},
		{"guard", "1", ErrReserved},
		{"acme", "..", ErrVersion},
		{"acme", "1/../../x", ErrVersion},
		{"acme", "(devel)", ErrVersion},
		{"acme", "", ErrVersion},
	} {
		if _, err := install(t, s, dir, c.name, c.version, true); !errors.Is(err, c.want) {
			t.Errorf("%q %q: %v", c.name, c.version, err)
		}
	}
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

func TestEntry(t *testing.T) {
	s, dir := newStore(t), tree(t)
	put(t, filepath.Join(dir, "second"), "x", 0o755)
	if _, err := s.Stage(t.Context(), dir, ""); err == nil || !strings.Contains(err.Error(), "--entry") {
		t.Error(err)
	}
	for _, entry := range []string{"../acme/acme", "nothing", "rules", "/etc/passwd"} {
		if _, err := s.Stage(t.Context(), dir, entry); err == nil {
			t.Errorf("%q was taken", entry)
		}
	}
	st, err := s.Stage(t.Context(), dir, "lib/b.py")
	if err != nil || st.Entry != "lib/b.py" {
		t.Fatal(err)
	}
	st.Discard()
	if left, _ := os.ReadDir(filepath.Join(s.Dir, directory)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What is not as it was installed is told, each by its path.
func TestVerify(t *testing.T) {
	s := newStore(t)
	p := mustInstall(t, s, tree(t), "acme", "1")
	at := func(name string) string { return filepath.Join(s.Tree(&p), name) }
	for _, c := range []struct {
		name, want string
		damage     func() error
	}{
		{"program", "acme was changed", func() error { return rewrite(at("acme"), "#!/bin/sh\nevil") }},
		{"library", "lib/b.py was changed", func() error { return rewrite(at("lib/b.py"), "evil") }},
		{"missing", "rules/a.txt is missing", func() error { return os.Remove(at("rules/a.txt")) }},
		{"added", "lib/c.py was not installed", func() error { return os.WriteFile(at("lib/c.py"), nil, 0o400) }},
		{"link", "lib/b.py is a symbolic link", func() error {
			return errors.Join(os.Remove(at("lib/b.py")), os.Symlink(at("acme"), at("lib/b.py")))
		}},
		{"hard link", "lib/b.py has another name", func() error { return os.Link(at("lib/b.py"), filepath.Join(s.Dir, "second")) }},
		{"open to all", "lib/b.py can be written by others", func() error { return os.Chmod(at("lib/b.py"), 0o422) }},
		{"open directory", "lib can be written by others", func() error { return os.Chmod(at("lib"), 0o777) }},
		{"gone", "is missing", func() error { return os.RemoveAll(s.Tree(&p)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && slices.Contains([]string{"link", "hard link", "open to all", "open directory"}, c.name) {
				t.Skip("not on Windows")
			}
			if _, err := s.Remove(t.Context(), "acme", ""); err != nil {
				t.Fatal(err)
			}
			p = mustInstall(t, s, tree(t), "acme", "1")
			if err := c.damage(); err != nil {
				t.Fatal(err)
			}
			problems := s.Verify(&p)
			if len(problems) != 1 || !strings.HasPrefix(strings.TrimSpace(problems[0].Path+" "+problems[0].Problem), c.want) {
				t.Errorf("%q", problems)
			}
			err := s.Check(&p)
			if d, ok := errors.AsType[*DamagedError](err); (!ok || len(d.Problems) != 1) && c.name != "program" {
				t.Errorf("a start would go on: %v", err)
			}
		})
	}
}

func rewrite(path, text string) error {
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, 0o500))
}

// Guard has a say about the way to the program.
func TestGuard(t *testing.T) {
	s := newStore(t)
	p := mustInstall(t, s, tree(t), "acme", "1")
	s.Guard = func(path string) error { return errors.New("others may write " + filepath.Base(path)) }
	if err := s.Check(&p); err == nil || !strings.Contains(err.Error(), "others may write acme") {
		t.Error(err)
	}
}
