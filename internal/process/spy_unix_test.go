//go:build unix

package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const canary = "canary-5f1c"

// spy prints its environment, its descriptors above 2 and which files of its
// parent it can read.
func spy() error {
	for _, entry := range os.Environ() {
		fmt.Println("env", entry)
	}
	for fd := 3; fd < 256; fd++ {
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) != nil {
			continue
		}
		// Go's runtime opens some of its own, so the reader looks for a known one.
		fmt.Println("fd", fd, stat.Dev, stat.Ino)
	}
	parent := fmt.Sprintf("/proc/%d/", os.Getppid())
	for _, name := range []string{"environ", "mem", "auxv", "maps", "exe", "fd/0", "cwd"} {
		if _, err := os.ReadFile(parent + name); err == nil {
			fmt.Println("readable", name)
		}
		if _, err := os.Readlink(parent + name); err == nil {
			fmt.Println("readable", name)
		}
	}
	if raw, err := os.ReadFile(parent + "environ"); err == nil && strings.Contains(string(raw), canary) {
		fmt.Println("stolen", canary)
	}
	return nil
}

// beHardened is a relay with a secret. Its child is executed through an open
// file, which must still work when /proc/self belongs to root.
func beHardened() error {
	if len(os.Args) < 3 {
		if err := HardenSelf(); err != nil {
			return err
		}
	}
	f, err := os.Open(os.Args[0])
	if err != nil {
		return err
	}
	p, err := Start(Spec{Path: os.Args[0], Args: []string{modeSpy}, File: f}, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, p.Stdout())
	p.Kill()
	if err = errors.Join(err, p.ExitError()); err != nil {
		return err
	}
	// As bundled scanners and the warden are started.
	if p, err = Start(Spec{Path: "/proc/self/exe", Args: []string{modeSpy}}, nil); err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, p.Stdout())
	p.Kill()
	return errors.Join(err, p.ExitError())
}

func TestChildGetsNoDescriptors(t *testing.T) {
	t.Parallel()
	// As an editor's terminal hands them to the relay: open across execution.
	path := filepath.Join(t.TempDir(), "leak")
	if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		t.Fatal(err)
	}
	_, out := start(t, Spec{Args: []string{modeSpy}}, nil)
	if report := readAll(t, out); strings.Contains(report, fmt.Sprintf(" %d %d\n", stat.Dev, stat.Ino)) {
		t.Errorf("the child has descriptors:\n%s", report)
	}
}

func TestChildCannotReadItsParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	run := func(args ...string) string {
		cmd := exec.Command(self(t), args...)
		if os.Getuid() == 0 { // root reads everything; be nobody
			dir := t.TempDir()
			for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
				if err := os.Chmod(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd.Path = copySelf(t, dir)
			cmd.Args[0] = cmd.Path
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		cmd.Dir = "/"
		cmd.Env = []string{"SECRET=" + canary, "TMPDIR=/tmp"}
		raw, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		return string(raw)
	}
	if report := run(modeHardened, "no"); !strings.Contains(report, "stolen "+canary) {
		t.Fatalf("the attack does not work without the defence, so this test proves nothing:\n%s", report)
	}
	if report := run(modeHardened); strings.Contains(report, "readable") || strings.Contains(report, "stolen") {
		t.Errorf("the child can read its parent:\n%s", report)
	}
}

func TestWhatWasOpenedIsWhatRuns(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux executes open files")
	}
	path := copySelf(t, t.TempDir())
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	evil := path + ".new"
	if err := os.WriteFile(evil, []byte("#!/bin/sh\necho replaced\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(evil, path); err != nil {
		t.Fatal(err)
	}
	_, out := start(t, Spec{Path: path, Args: []string{modePolite}, File: f}, nil)
	readPID(t, out)

	script, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = script.Close() })
	_, out = start(t, Spec{Path: path, File: script}, nil)
	if got := readAll(t, out); got != "replaced\n" {
		t.Errorf("a script printed %q", got)
	}
}
