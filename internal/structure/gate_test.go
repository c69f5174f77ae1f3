package structure

import (
	"go/ast"
	"path/filepath"
	"strings"
	"testing"
)

// gate is where content is cleared, and cleared the package whose function
// Clear does it.
const (
	gate    = "internal/scan"
	cleared = "internal/peer"
)

// Content leaves through one function, and one place calls it. Tests may clear
// what they like, since no test is part of the relay.
func TestContentIsClearedInOnePlace(t *testing.T) {
	var sites []string
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, use := range clears(s) {
			sites = append(sites, s.position(use.Pos()).String())
			if s.pkg != gate {
				t.Errorf("%s clears content; only the gate in %s may", s.position(use.Pos()), gate)
			}
		}
	}
	if len(sites) != 1 {
		t.Errorf("content is cleared in %d places, want one: %s", len(sites), strings.Join(sites, ", "))
	}
}

// clears returns every mention of peer.Clear in a file, called or not: a value
// of it could be called from anywhere.
func clears(s *source) (uses []ast.Node) {
	name := ""
	for _, spec := range s.tree.Imports {
		if strings.Trim(spec.Path.Value, `"`) != module+"/"+cleared {
			continue
		}
		name = "peer"
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." { // then no mention tells where it comes from
			uses = append(uses, spec)
		}
	}
	declared := map[*ast.Ident]bool{}
	ast.Inspect(s.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			declared[n.Name] = true
		case *ast.SelectorExpr:
			declared[n.Sel] = true // a method or a field of that name is another thing
			if x, ok := n.X.(*ast.Ident); ok && name != "" && x.Name == name && n.Sel.Name == "Clear" {
				uses = append(uses, n)
			}
		case *ast.Ident:
			if s.pkg == cleared && n.Name == "Clear" && !declared[n] {
				uses = append(uses, n)
			}
		}
		return true
	})
	return uses
}

// What the compiler forbids can be reached with directives; nobody may.
func TestNobodyReachesAroundTheCompiler(t *testing.T) {
	for _, s := range sources(t) {
		for _, group := range s.tree.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:linkname") {
					t.Errorf("%s: linkname reaches what a package keeps to itself", s.position(c.Pos()))
				}
			}
		}
	}
}

// A request may be sent before its verdict by one place, which keeps back what
// comes of it.
func TestRequestsAreSentEarlyInOnePlace(t *testing.T) {
	const method, place = "JudgeEarly", "internal/relay/overlap.go"
	var sites []string
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == method {
				at := s.position(sel.Pos()).Filename
				if !strings.HasSuffix(filepath.ToSlash(at), place) {
					t.Errorf("%s has requests sent before their verdict; only %s may", at, place)
				}
				sites = append(sites, at)
			}
			return true
		})
	}
	if len(sites) != 1 {
		t.Errorf("requests are sent early in %d places, want one: %s", len(sites), strings.Join(sites, ", "))
	}
}
