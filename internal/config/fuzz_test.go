package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad feeds arbitrary files to everything behind the reading of the file:
// no panic, no hang, and an error that is fit for a terminal.
func FuzzLoad(f *testing.F) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(archive.Files) > 0 && archive.Files[0].Name != "env" {
			f.Add(archive.Files[0].Data, strings.HasSuffix(archive.Files[0].Name, ".json"))
		}
	}
	f.Add([]byte(panFile), false)
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool) {
		if len(data) > 64<<10 {
			t.Skip()
		}
		name := "/relay.yaml"
		if isJSON {
			name = "/relay.json"
		}
		out := &notes{file: name}
		l := newLoader(Options{Environ: environ("A=1"), Home: "/home/u"}.withDefaults(), name, out)
		if root := parse(name, data, out); root != nil {
			l.read(root)
		} else if len(out.problems) == 0 {
			t.Error("no tree and no problem")
		}
		if err := out.err(); err != nil {
			for _, r := range err.Error() {
				if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
					t.Fatalf("the message holds %q: %q", r, err)
				}
			}
			return
		}
		if len(Uncovered(l.config)) > 0 {
			t.Error("loaded with a phase uncovered")
		}
		for _, s := range l.config.Servers {
			if !s.Disabled && (s.Command == "") == (s.URL == "") {
				t.Errorf("server %+v", s)
			}
		}
	})
}
