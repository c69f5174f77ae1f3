package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite golden files and the reference in the documentation")

// Each archive in testdata holds the files of a directory, what is in the
// environment (env), and what Load says of it (want). The file that is loaded
// is the first; an archive without one has no configuration.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	opts := Options{Environ: environ(), Home: filepath.Join(dir, "home"), WorkDir: filepath.Join(dir, "work"), goos: "linux"}
	want := -1
	for i, f := range archive.Files {
		switch f.Name {
		case "env":
			opts.Environ = environ(strings.Split(strings.TrimSpace(string(f.Data)), "\n")...)
		case "want":
			want = i
		default:
			writeAt(t, filepath.Join(dir, f.Name), string(f.Data))
			if opts.Path == "" {
				opts.Path = filepath.Join(dir, f.Name)
			}
		}
	}
	got := strings.ReplaceAll(outcome(Load(opts)), dir, "$DIR")
	if *update {
		if want < 0 {
			archive.Files, want = append(archive.Files, txtar.File{Name: "want"}), len(archive.Files)
		}
		archive.Files[want].Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want < 0 || got != string(archive.Files[want].Data) {
		t.Errorf("got:\n%s", got)
	}
	if strings.Contains(got, "hunter2") {
		t.Error("a secret is printed")
	}
}

// outcome renders what Load returned.
func outcome(c *Config, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	b.WriteString("loaded\n")
	for _, w := range c.Warnings {
		b.WriteString("warning: " + w.String() + "\n")
	}
	return b.String()
}
