package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/plugin"
)

// TestInstalledAnew: a scanner whose other files were installed anew, lock file
// and all, is not started by a relay that knows the ones before, and one whose
// files are the same is the same scanner to a reload.
func TestInstalledAnew(t *testing.T) {
	for _, name := range []string{"XDG_DATA_HOME", "HOME", "LOCALAPPDATA"} {
		t.Setenv(name, t.TempDir())
	}
	install := func(lib string) {
		t.Helper()
		source := t.TempDir()
		for name, text := range map[string]string{"acme": "#!/bin/sh\n", "lib.sh": lib} {
			if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		s, err := openStore()
		if err != nil {
			t.Fatal(err)
		}
		staged, err := s.Stage(t.Context(), source, "acme")
		if err != nil {
			t.Fatal(err)
		}
		defer staged.Discard()
		staged.Name, staged.Version = "acme", "1"
		if _, err := staged.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	load := func() *config.Scanner {
		t.Helper()
		all, err := installed()
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		return &config.Scanner{Name: "a", Plugin: all[0].Program, SHA256: all[0].SHA256, Installed: &all[0]}
	}
	install("harmless")
	before := load()
	verify := pluginSpec(before).Verify
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	running := &team{scanners: []*plugin.Supervisor{{}}, configured: []config.Scanner{*before}}
	if running.find(load()) == nil {
		t.Error("the same scanner would be started anew")
	}
	install("something else")
	if err := verify(); !errors.Is(err, errReinstalled) {
		t.Errorf("other files: %v", err)
	}
	after := load()
	if after.SHA256 != before.SHA256 {
		t.Fatal("the program itself is another")
	}
	if running.find(after) != nil {
		t.Error("a scanner of other files is taken for the one that runs")
	}
	if err := pluginSpec(after).Verify(); err != nil {
		t.Errorf("after a yes: %v", err)
	}
}
