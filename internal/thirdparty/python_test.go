package thirdparty

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

	t.Run("installed", func(t *testing.T) { whole(t, relay, example, interpreter) })
}

// whole has the relay install the directory, with the packages and without the
// environment that interpreter belongs to, and block a call. Confined, it finds
// only the system's Python.
func whole(t *testing.T, relay, example, interpreter string) {
	t.Helper()
	packages, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(interpreter)), "lib", "python*", "site-packages"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("packages: %q, %v", packages, err)
	}
	const system = "/usr/bin/python3"
	version, err := exec.Command(system, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])").Output()
	if want := filepath.Base(filepath.Dir(packages[0])); err != nil || strings.TrimSpace(string(version)) != want {
		t.Skipf("the packages are for %s, %s is %q: %v", want, system, version, err)
	}
	dir := filepath.Join(t.TempDir(), "words")
	for from, to := range map[string]string{example: dir, packages[0]: filepath.Join(dir, "packages")} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, ".venv")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(system)+string(os.PathListSeparator)+os.Getenv("PATH"))
	blocks(t, relay, installed(t, relay, dir))
}
