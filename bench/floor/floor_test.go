package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The test program is the floor relay, its scanner and the server behind it.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("FLOOR_TEST") == "":
		os.Exit(m.Run())
	case len(os.Args) > 1 && os.Args[1] == "echo":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	default:
		main()
	}
}

func TestLinesPass(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sent := []string{`{"id":1}`, `{"id":2,"method":"tools/call","params":{"name":"x"}}`, strings.Repeat("long", 200_000)}
	for _, scan := range []string{"none", "grpc"} {
		cmd := exec.Command(self, "-scan", scan, "--", self, "echo")
		cmd.Env = append(os.Environ(), "FLOOR_TEST=1")
		cmd.Stdin = strings.NewReader(strings.Join(sent, "\n") + "\n")
		var out, failed bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &failed
		if err := cmd.Run(); err != nil {
			t.Fatalf("-scan %s: %v\n%s", scan, err, failed.String())
		}
		got := strings.Split(strings.TrimSpace(out.String()), "\n")
		want := slices.Clone(sent)
		if scan != "none" { // scans finish in any order
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("-scan %s: %d lines arrived, want %d unchanged", scan, len(got), len(want))
		}
	}
}

func TestBadUse(t *testing.T) {
	for _, args := range [][]string{{}, {"-scan", "all", "--", "true"}} {
		if err := run(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
