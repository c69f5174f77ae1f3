package doctor

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/pluginstore"
)

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "LocalAppData"} {
		t.Setenv(name, dir)
	}
	path := filepath.Join(dir, "audit.jsonl")
	if n := find(Report{Record(path)}, OK, "no audit record yet"); n != 1 {
		t.Errorf("without a record: %+v", Record(path))
	}
	l, err := audit.Open(audit.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := find(Report{Record(path)}, OK, "what was written: 2 records"); n != 1 {
		t.Errorf("a record: %+v", Record(path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(`"event":"open"`), []byte(`"event":"lost"`), 1)
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := find(Report{Record(path)}, Fail, "not what was written"); n != 1 {
		t.Errorf("a changed record: %+v", Record(path))
	}
}

func TestInstalled(t *testing.T) {
	s := &pluginstore.Store{Dir: t.TempDir()}
	if r := Installed(s); len(r) != 0 {
		t.Errorf("of nothing: %+v", r)
	}
	for name, text := range map[string]string{"binary": "\x7fELF", "script": "#!/bin/sh\n"} {
		source := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		staged, err := s.Stage(t.Context(), source, "")
		if err != nil {
			t.Fatal(err)
		}
		staged.Name, staged.Version = name, "1"
		if _, err := staged.Commit(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	r := Installed(s)
	if find(r, OK, "binary installed") != 1 || find(r, Warn, "script installed as a script") != 1 {
		t.Errorf("%+v", r)
	}
	p, err := s.Find("binary", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.Program(&p)); err != nil {
		t.Fatal(err)
	}
	if r := Installed(s); find(r, Fail, "binary its files are not") != 1 {
		t.Errorf("damaged: %+v", r)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "plugins.lock"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := Installed(s); find(r, Fail, "cannot be used") != 1 {
		t.Errorf("a broken list: %+v", r)
	}
}
