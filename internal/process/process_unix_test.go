//go:build unix

package process

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStopEndsATreeThatIgnoresEverything(t *testing.T) {
	t.Parallel()
	p, out := start(t, Spec{
		Path: "/bin/sh",
		Args: []string{"-c", `sh -c '"$0" ` + modeStubborn + `; true' "$0"; true`, self(t)},
		Env:  os.Environ(),
	}, nil)
	leaf := readPID(t, out)
	if leaf == p.PID() {
		t.Fatal("the tree is not a tree")
	}
	p.Stop(20 * time.Millisecond)
	wantGone(t, p.PID(), leaf)
}

func TestStopLetsAPoliteChildEndByItself(t *testing.T) {
	t.Parallel()
	p, out := start(t, Spec{Args: []string{modePolite}}, nil)
	readPID(t, out)
	p.Stop(patience)
	if err := p.ExitError(); err != nil {
		t.Errorf("ExitError = %v, want none", err)
	}
	if _, err := out.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("stdout ended with %v, want EOF", err)
	}
}

func TestGrandchildIsEndedAfterItsLeaderExited(t *testing.T) {
	t.Parallel()
	p, out := start(t, Spec{
		Path: "/bin/sh", Args: []string{"-c", `"$0" ` + modeStubborn + ` & read line; exit 3`, self(t)}, Env: os.Environ(),
	}, nil)
	leaf := readPID(t, out)
	if _, err := p.Stdin().WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	var exit *ExitError
	if !errors.As(p.ExitError(), &exit) || exit.Code != 3 {
		t.Errorf("ExitError = %v, want status 3", p.ExitError())
	}
	p.Kill()
	if alive(leaf) {
		t.Error("Kill returned while the grandchild was alive")
	}
}

func TestKillOfManyAtOnce(t *testing.T) {
	t.Parallel()
	p, out := start(t, Spec{Args: []string{modeStubborn}}, nil)
	readPID(t, out)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(p.Kill)
		wg.Go(p.Terminate)
		wg.Go(func() { p.Stop(time.Millisecond) })
	}
	wg.Wait()
	var exit *ExitError
	if !errors.As(p.ExitError(), &exit) || exit.Code != -1 {
		t.Errorf("ExitError = %v, want an end by signal", p.ExitError())
	}
}

func TestPipesTakeDeadlines(t *testing.T) {
	t.Parallel()
	p, out := start(t, Spec{Args: []string{modeStubborn}}, nil)
	readPID(t, out)
	past := time.Now().Add(-time.Second)
	if err := errors.Join(p.Stdin().SetWriteDeadline(past), p.Stdout().SetReadDeadline(past),
		p.Stderr().SetReadDeadline(past)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stdin().WriteString("x"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write = %v, want a deadline error", err)
	}
	if _, err := p.Stdout().Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read of stdout = %v, want a deadline error", err)
	}
	if _, err := p.Stderr().Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read of stderr = %v, want a deadline error", err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("not a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]Spec{
		"empty":          {},
		"not in PATH":    {Path: "no-such-program", Env: []string{"PATH=" + dir}},
		"no such file":   {Path: filepath.Join(dir, "missing")},
		"not executable": {Path: plain},
		"no such dir":    {Path: "/bin/sh", Dir: filepath.Join(dir, "missing")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p, err := Start(spec, nil); err == nil {
				p.Kill()
				t.Error("Start succeeded")
			}
		})
	}
}

func TestChildGetsOnlyItsEnvironment(t *testing.T) {
	t.Setenv("CANARY_OF_THE_RELAY", "secret")
	p, out := start(t, Spec{Args: []string{modeSpy}, Env: []string{"GIVEN=1", cookieVariable + "=forged"}}, nil)
	report := readAll(t, out)
	if !strings.Contains(report, "env GIVEN=1\n") {
		t.Errorf("the given variable is missing:\n%s", report)
	}
	if strings.Contains(report, "env CANARY_OF_THE_RELAY") || strings.Contains(report, "forged") {
		t.Errorf("the child got more than it was given:\n%s", report)
	}
	<-p.Done()
}

func readAll(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
