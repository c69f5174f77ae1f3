package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// clinging is a scanner that ignores the end of its input and every polite
// signal, and so does what it starts in a session of its own.
const clinging = `#!/bin/sh
trap '' INT TERM HUP
setsid sleep 600 &
sleep 600
`

// TestNothingOutlivesTheChecks ends relay plugin check while a scanner runs that
// does not mean to end.
func TestNothingOutlivesTheChecks(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []os.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(end.String(), func(t *testing.T) {
			t.Parallel()
			scanner := filepath.Join(t.TempDir(), "clinging")
			if err := os.WriteFile(scanner, []byte(clinging), 0o755); err != nil {
				t.Fatal(err)
			}
			said := &buffer{}
			cmd := exec.Command(own, "plugin", "check", "--no-sandbox", scanner)
			cmd.Args[0] = "relay"
			cmd.Stdout, cmd.Stderr = said, said
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill() }()
			var tree map[string]string
			deadline := time.Now().Add(time.Minute)
			for ; len(tree) < 4; time.Sleep(10 * time.Millisecond) { // a warden, the script, two of sleep
				if time.Now().After(deadline) {
					t.Fatalf("only %v runs\n%s", tree, said)
				}
				tree = descendants(cmd.Process.Pid)
			}
			if err := cmd.Process.Signal(end); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			for deadline = time.Now().Add(15 * time.Second); len(left(tree)) > 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("left behind: %s\n%s", left(tree), said)
				}
			}
		})
	}
}
