package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What is generated builds and passes its own tests as it is. It finds all it
// needs among the modules of the relay: no network is asked.
func TestGeneratedScannerWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module")
	}
	dir := filepath.Join(t.TempDir(), "acme")
	relay, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	s := Scanner{Name: "acme-words", Module: "example.com/acme/words", Version: "v0.0.0", Relay: relay}
	names, err := s.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := "README.md config.json finding.txt .gitignore go.mod main.go scanner.go scanner_test.go"; strings.Join(names, " ") != want {
		t.Errorf("got %v", names)
	}
	sums, err := os.ReadFile(filepath.Join(relay, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %v: %s", err, out)
	}
	run("vet", "./...")
	args := []string{"test", "./..."}
	if runtime.GOOS == "windows" {
		args = []string{"build", "./..."}
	}
	run(args...)
}

func TestWriteOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Scanner{Name: "acme", Module: "example.com/acme"}
	if _, err := s.Write(dir); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("files were written: %v", entries)
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"acme": true, "acme-2": true, "a": true,
		"": false, "Acme": false, "../acme": false, "a b": false, "-a": false, "a-": false, "2a": false, "a.b": false, "a/b": false,
		"guard": false, "relay": false, "a\n": false, strings.Repeat("a", 65): false, "`+x+`": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	for module, ok := range map[string]bool{
		"example.com/acme": true, "acme": true, "example.com/a/b_c.d~e": true,
		"": false, "/acme": false, "./acme": false, "../acme": false, "a//b": false, "a b": false, "a\nrequire": false, "a/../b": false,
	} {
		if err := CheckModule(module); (err == nil) != ok {
			t.Errorf("%q: %v", module, err)
		}
	}
}
