package thirdparty

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python names the variable with the interpreter that make python-scanner
// installs what the scanner needs for.
const python = "RELAY_SCANNER_PYTHON"

// TestPython checks the example in Python and has it block a call.
func TestPython(t *testing.T) {
	interpreter := os.Getenv(python)
	if interpreter == "" {
		t.Skip("needs Python and packages: run make python-scanner")
	}
	example, err := filepath.Abs(filepath.Join("..", "..", "examples", "python-scanner"))
	if err != nil {
		t.Fatal(err)
	}
	scanner := filepath.Join(t.TempDir(), "words-scanner")
	text := fmt.Sprintf("#!/bin/sh\nexec '%s' '%s' \"$@\"\n", interpreter, filepath.Join(example, "words.py"))
	if err := os.WriteFile(scanner, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	relay := buildRelay(t)
	base, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(relay, "plugin", "check", scanner, "--allow", example,
		"--allow", filepath.Dir(filepath.Dir(interpreter)), "--allow", filepath.Dir(filepath.Dir(base)),
		"--config", filepath.Join(example, "config.json"), "--content", filepath.Join(example, "finding.txt"))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("relay plugin check: %v\n%s", err, out)
	}
	blocks(t, relay, scanner)
}
