package noop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTutorialIsCompiledCode keeps docs/writing-a-scanner.md true: every Go
// listing in it is a verbatim part of a file that is compiled and tested here.
func TestTutorialIsCompiledCode(t *testing.T) {
	page := read(t, "docs", "writing-a-scanner.md")
	whole := []string{
		read(t, "plugins", "noop", "noop.go"),
		read(t, "plugins", "noop", "cmd", "noop", "main.go"),
	}
	files := append(whole, generated(t, "scanner.go"), generated(t, "scanner_test.go"))
	listings := strings.Split(page, "```go\n")[1:]
	if len(listings) < 5 {
		t.Fatalf("found %d listings, is the page still there?", len(listings))
	}
	for i, listing := range listings {
		listing, _, _ = strings.Cut(listing, "```")
		if !strings.Contains(strings.Join(files, "\n"), listing) {
			t.Errorf("listing %d is no part of the compiled files:\n%s", i+1, listing)
		}
	}
	for _, file := range whole {
		if !strings.Contains(page, "```go\n"+file+"```") {
			t.Errorf("the page does not hold the whole of:\n%s", file)
		}
	}
}

// generated returns a file that `relay plugin new my-scanner` writes. That it
// compiles and works is tested where the templates are.
func generated(t *testing.T, name string) string {
	t.Helper()
	return strings.ReplaceAll(read(t, "internal", "scaffold", "templates", name+".tmpl"), "<<.Name>>", "my-scanner")
}

// TestSmallestScannerIsSmall keeps the promise of the tutorial.
func TestSmallestScannerIsSmall(t *testing.T) {
	program := read(t, "plugins", "noop", "noop.go")
	if lines := strings.Count(program, "\n"); lines > 30 {
		t.Errorf("the smallest scanner has %d lines, at most 30 were promised", lines)
	}
	if imports := strings.Count(program, "github.com/"); imports != 1 {
		t.Errorf("the smallest scanner has %d imports that are not the standard library's, 1 was promised", imports)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}
