//go:build unix

package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is also every program that the tests start: its first
// argument chooses which.
const (
	modeWarden   = "__warden"   // the warden
	modeStubborn = "__stubborn" // prints its pid, ignores EOF and SIGTERM
	modePolite   = "__polite"   // prints its pid, ends on EOF
	modeRelay    = "__relay"    // starts a warden and children; prints all pids; waits
	modeSpy      = "__spy"      // prints what it can learn of its parent and its own inheritance
	modeHardened = "__hardened" // holds a secret, hardens itself, starts a spy through an open file
	modeEscape   = "__escape"   // starts a stubborn child in a session of its own and ends
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case modeWarden:
			exitOn(RunWarden(os.Stdin))
		case modeStubborn:
			signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
			fmt.Println("pid", os.Getpid())
			time.Sleep(time.Minute)
			os.Exit(1)
		case modePolite:
			fmt.Println("pid", os.Getpid())
			_, err := io.Copy(io.Discard, os.Stdin)
			exitOn(err)
		case modeRelay:
			exitOn(beRelay())
		case modeSpy:
			exitOn(spy())
		case modeHardened:
			exitOn(beHardened())
		case modeEscape:
			exitOn(escape())
		}
	}
	os.Exit(m.Run())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// escape leaves a child behind that is in another session and has lost its
// parent, as daemons do.
func escape() error {
	cmd := exec.Command(os.Args[0], modeStubborn)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	if len(os.Args) > 2 { // stay
		time.Sleep(time.Minute)
	}
	return nil
}

// beRelay starts, under a warden, the kinds of children that outlive relays.
func beRelay() error {
	w, err := StartWarden(os.Args[0], []string{modeWarden})
	if err != nil {
		return err
	}
	fmt.Println("pid", w.PID())
	for _, args := range [][]string{
		{"/bin/sh", "-c", `sh -c '"$0" ` + modeStubborn + `; true' "$0"; true`, os.Args[0]},
		{"/bin/sh", "-c", `"$0" ` + modeEscape + `; sleep 60`, os.Args[0]},
		{os.Args[0], modeEscape, "stay"},
		{os.Args[0], modePolite},
	} {
		p, err := Start(Spec{Path: args[0], Args: args[1:], Env: os.Environ()}, w)
		if err != nil {
			return err
		}
		fmt.Println("pid", p.PID())
		line, err := bufio.NewReader(p.Stdout()).ReadString('\n')
		if err != nil {
			return err
		}
		fmt.Print(line)
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// self returns the path of the test binary.
func self(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// start starts the test binary in a mode and ends it with the test.
func start(t testing.TB, spec Spec, w *Warden) (*Process, *bufio.Reader) {
	t.Helper()
	if spec.Path == "" {
		spec.Path = self(t)
	}
	p, err := Start(spec, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		_ = p.Stdout().Close()
		_ = p.Stderr().Close()
	})
	return p, bufio.NewReader(p.Stdout())
}

// readPID reads a "pid N" line.
func readPID(t testing.TB, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("read a pid: %v (got %q)", err, line)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid ")))
	if err != nil {
		t.Fatalf("not a pid line: %q", line)
	}
	return pid
}

// alive reports whether the process runs; a zombie does not.
func alive(pid int) bool {
	raw, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	state := strings.TrimSpace(string(raw))
	return err == nil && state != "" && !strings.HasPrefix(state, "Z")
}

// patience is how long a test waits for what must happen. What the tests start
// lives for a minute.
const patience = 30 * time.Second

// wantGone fails unless every process ends.
func wantGone(t testing.TB, pids ...int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				t.Errorf("process %d is still alive", pid)
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// copySelf puts the test binary where other users can execute it.
func copySelf(t testing.TB, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	// A child forked by another test meanwhile would keep the file open for writing.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
