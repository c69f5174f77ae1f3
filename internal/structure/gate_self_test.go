package structure

import (
	"go/parser"
	"go/token"
	"testing"
)

// The proof is worth what it finds.
func TestClearsFindsEveryWay(t *testing.T) {
	const imports = "package x\nimport \"" + module + "/" + cleared + "\"\n"
	for name, c := range map[string]struct {
		pkg, text string
		want      int
	}{
		"call":            {"internal/x", imports + "var _ = peer.Clear(1, \"\", nil)", 1},
		"value":           {"internal/x", imports + "var f = peer.Clear", 1},
		"another name":    {"internal/x", "package x\nimport p \"" + module + "/" + cleared + "\"\nvar _ = p.Clear(1, \"\", nil)", 1},
		"dot":             {"internal/x", "package x\nimport . \"" + module + "/" + cleared + "\"", 1},
		"inside":          {cleared, "package peer\nfunc Clear() {}\nfunc f() { Clear() }", 1},
		"declaration":     {cleared, "package peer\nfunc Clear() {}", 0},
		"another package": {"internal/x", "package x\nimport \"x/y/peer\"\nvar _ = peer.Clear()", 0},
		"a method":        {"internal/x", imports + "var _ peer.Cleared\nfunc f() { m.Clear() }", 0},
	} {
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, "x.go", c.text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := len(clears(&source{pkg: c.pkg, tree: tree, position: set.Position})); got != c.want {
			t.Errorf("%s: found %d, want %d", name, got, c.want)
		}
	}
}
