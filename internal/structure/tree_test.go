package structure

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the path that every import of ours begins with.
const module = "github.com/mcp-relay/relay"

// source is one Go file of the main module.
type source struct {
	path      string // relative to the root, with slashes
	pkg       string // directory of the package, relative to the root
	test      bool
	generated bool
	lines     int
	tree      *ast.File
	position  func(token.Pos) token.Position
}

// imports calls yield with each path that the file imports. Build constraints
// are not looked at: code for every system counts.
func (s *source) imports(yield func(imported string)) {
	for _, spec := range s.tree.Imports {
		yield(strings.Trim(spec.Path.Value, `"`))
	}
}

// own returns the directory of an imported package of this module.
func own(imported string) (string, bool) { return strings.CutPrefix(imported, module+"/") }

// thirdParty tells a foreign module's package from one of the standard library.
func thirdParty(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(imported, module)
}

// root is the directory of the main module.
var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.Contains(string(text), "module "+module+"\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the tests do not run inside the module")
		}
		dir = filepath.Dir(dir)
	}
})

// walk calls f with every file that belongs to the repository, nested modules
// included, by its path relative to the root.
func walk(t *testing.T, f func(file string)) {
	t.Helper()
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			switch {
			case rel == "bin", rel == "dist", entry.Name() == "node_modules",
				strings.HasPrefix(entry.Name(), ".") && rel != "." && rel != ".ci" && rel != ".github":
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			f(rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// read returns the text of a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sources parses the main module's Go files; nested modules, which say for
// themselves what they need, and test data are left out.
func sources(t *testing.T) []*source {
	t.Helper()
	var names []string
	var nested []string
	walk(t, func(file string) {
		dir, name := path.Split(file)
		switch {
		case name == "go.mod" && dir != "":
			nested = append(nested, dir)
		case strings.HasSuffix(name, ".go") && !strings.Contains("/"+dir, "/testdata/"):
			names = append(names, file)
		}
	})
	var out []*source
	set := token.NewFileSet()
	for _, name := range names {
		if within(name, nested) {
			continue
		}
		text := read(t, name)
		tree, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &source{
			path: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(tree),
			lines: strings.Count(text, "\n"), tree: tree, position: set.Position,
		})
	}
	if len(out) == 0 {
		t.Fatal("no Go files found")
	}
	return out
}

func within(file string, dirs []string) bool {
	for _, dir := range dirs {
		if strings.HasPrefix(file, dir) {
			return true
		}
	}
	return false
}
