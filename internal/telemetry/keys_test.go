package telemetry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/telemetry"
)

// methods are those that take keys and values after so many other arguments.
var methods = map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "With": 0}

// attributes are the constructors of package slog whose first argument is a key.
var attributes = []string{"String", "Int", "Int64", "Uint64", "Bool", "Duration", "Time", "Float64", "Any", "Group"}

// TestKeys holds every log call of the relay to the list of keys.
func TestKeys(t *testing.T) {
	root := ".." // the SDK for scanners logs for another program
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(source), `"log/slog"`) {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
		if err != nil {
			return err
		}
		for _, key := range keysIn(file) {
			seen++
			if !slices.Contains(telemetry.Keys, key) {
				t.Errorf("%s logs the key %q, which is not in telemetry.Keys", path, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Errorf("only %d keys were found: the search is broken", seen)
	}
}

// keysIn returns the literal keys of the log calls in a file.
func keysIn(file *ast.File) []string {
	var keys []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, isCall := n.(*ast.CallExpr)
		if !isCall {
			return true
		}
		selector, isSelector := call.Fun.(*ast.SelectorExpr)
		if !isSelector {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == "slog" && slices.Contains(attributes, selector.Sel.Name) {
			keys = append(keys, literals(call.Args[:1])...)
			return true
		}
		if skip, ok := methods[selector.Sel.Name]; ok && len(call.Args) > skip {
			for i := skip; i+1 < len(call.Args); i += 2 {
				keys = append(keys, literals(call.Args[i:i+1])...)
			}
		}
		return true
	})
	return keys
}

func literals(args []ast.Expr) []string {
	var texts []string
	for _, arg := range args {
		if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}
