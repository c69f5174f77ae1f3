package structure

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	longFile = 350 // lines; above it a file probably holds two concepts
	longMain = 15  // lines; a main calls something that can be tested
)

// Every package says in doc.go what it is for; a program says it in its main
// file.
func TestEveryPackageIsDocumented(t *testing.T) {
	documented := map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if _, seen := documented[s.pkg]; !seen {
			documented[s.pkg] = ""
		}
		if s.tree.Doc == nil || s.generated {
			continue
		}
		want, place := "Package "+s.tree.Name.Name+" ", "doc.go"
		if s.tree.Name.Name == "main" {
			want, place = "Command "+path.Base(s.pkg)+" ", path.Base(s.path)
		}
		if text := s.tree.Doc.Text(); !strings.HasPrefix(text, want) {
			t.Errorf("%s: the comment of the package begins with %.30q, want %q", s.path, text, want)
		}
		if path.Base(s.path) != place {
			t.Errorf("%s: the comment of a package belongs into doc.go", s.path)
		}
		documented[s.pkg] = s.path
	}
	for _, pkg := range slices.Sorted(maps.Keys(documented)) {
		if documented[pkg] == "" {
			t.Errorf("package %s does not say what it is for; add doc.go", pkg)
		}
	}
}

func TestPackagesAreNouns(t *testing.T) {
	vague := []string{"util", "utils", "common", "helpers", "types", "manager", "misc", "shared", "base"}
	for _, s := range sources(t) {
		if slices.Contains(vague, path.Base(s.pkg)) {
			t.Errorf("%s: the name of the package says nothing", s.path)
		}
		if name := strings.TrimSuffix(path.Base(s.path), ".go"); slices.Contains(vague, name) {
			t.Errorf("%s: the name of the file says nothing", s.path)
		}
	}
}

// mains are the programs that call a library and do nothing else.
var mains = []string{"cmd/*", "plugins/*/cmd/*"}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		switch {
		case s.generated || s.test:
		case matchesAny(mains, s.pkg) && s.lines > longMain:
			t.Errorf("%s has %d lines; a main has %d at most", s.path, s.lines, longMain)
		case s.lines > longFile:
			t.Logf("%s has %d lines; does it hold two concepts?", s.path, s.lines)
		}
	}
}
