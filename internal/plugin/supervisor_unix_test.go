//go:build unix

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/verdict"
)

func TestStoppedProcessIsReplaced(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := s.Scan(ctx, text("a", "stop"))
	wantFailure(t, err, ReasonTimeout, verdict.CauseContent)
	for deadline := time.Now().Add(patience); alive(pid); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stopped process is still there")
		}
	}
	if next := ask(t, s, "pid"); next == strconv.Itoa(pid) {
		t.Error("no new process")
	}
}

func TestReconfigure(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Config = json.RawMessage(`{"Label":"one"}`)
	s := begin(t, spec, quiet())
	ready(t, s)
	slow := make(chan error, 1)
	go func() {
		v, err := s.Scan(t.Context(), text("a", "sleep 500ms"))
		if err == nil && v.Reference != "one" {
			err = fmt.Errorf("judged by %q", v.Reference)
		}
		slow <- err
	}()
	until(t, "the scan is in the scanner", func() bool { return s.status.Load().generation.flights.Load() > 0 })
	var config *ConfigError
	err := s.Reconfigure(t.Context(), json.RawMessage(`{"Refuse":true,"Label":"two"}`))
	if !errors.As(err, &config) || len(config.Problems) != 1 || config.Problems[0].Pointer != "/refuse" {
		t.Errorf("a bad configuration: %v", err)
	}
	if err := s.Reconfigure(t.Context(), json.RawMessage(`{"Crash":true}`)); err == nil {
		t.Error("a configuration that crashes was accepted")
	}
	if got := ask(t, s, "x"); got != "one" {
		t.Errorf("after bad configurations: %q", got)
	}
	if err := s.Reconfigure(t.Context(), json.RawMessage(`{"Label":"three"}`)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ask(t, s, "x") != "three"; {
		if time.Now().After(deadline) {
			t.Fatal("the new configuration is not in force")
		}
	}
	if err := <-slow; err != nil {
		t.Errorf("a scan in flight was lost: %v", err)
	}
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for s.status.Load().state == Ready && s.status.Load().generation.proc.PID() == pid {
		time.Sleep(time.Millisecond)
	}
	if got := ask(t, s, "x"); got != "three" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestReconfigureRevivesWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Config = json.RawMessage(`{"Refuse":true}`)
	s := begin(t, spec, quiet())
	if err := s.Ready(t.Context()); !errors.As(err, new(*ConfigError)) {
		t.Fatalf("Ready = %v, want a ConfigError at once", err)
	}
	if s.State() != Failed {
		t.Errorf("state is %s", s.State())
	}
	if err := s.Reconfigure(t.Context(), json.RawMessage(`{}`)); err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	ask(t, s, "x")
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), bad(t, "content"), nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	slow := make(chan error, 1)
	go func() {
		_, err := s.Scan(t.Context(), text("a", "sleep 300ms"))
		slow <- err
	}()
	until(t, "the scan is in the scanner", func() bool { return s.status.Load().generation.flights.Load() > 0 })
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-slow; err != nil {
		t.Errorf("a scan in flight was lost: %v", err)
	}
	_, err = s.Scan(t.Context(), text("a", "x"))
	wantFailure(t, err, ReasonUnavailable, verdict.CauseOutage)
	if err := s.Ready(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("Ready = %v", err)
	}
	if err := s.Reconfigure(t.Context(), nil); !errors.Is(err, ErrStopped) && !errors.Is(err, context.Canceled) {
		t.Errorf("Reconfigure = %v", err)
	}
	if alive(pid) {
		t.Error("the process is alive")
	}
}

func TestStopEndsWhatDoesNotWantTo(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "pid")
	for _, spec := range []Spec{bad(t, "ignores its end"), bad(t, "leaves a child", mark)} {
		s, err := Start(t.Context(), spec, nil, quiet())
		if err != nil {
			t.Fatal(err)
		}
		ready(t, s)
		pid, _ := strconv.Atoi(ask(t, s, "pid"))
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if alive(pid) {
			t.Errorf("%q: the process is alive", spec.Args)
		}
	}
	raw, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	if pid, _ := strconv.Atoi(string(raw)); pid == 0 || alive(pid) {
		t.Errorf("the scanner's child %s is alive", raw)
	}
}

func TestNothingIsLeftOfManyStarts(t *testing.T) {
	spec := bad(t, "content")
	cycle := func() {
		s, err := Start(t.Context(), spec, nil, quiet())
		if err != nil {
			t.Fatal(err)
		}
		ready(t, s)
		ask(t, s, "x")
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	before, files := runtime.NumGoroutine(), descriptors(t)
	for range 4 {
		cycle()
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before || descriptors(t) > files; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors, %d and %d before", runtime.NumGoroutine(), descriptors(t), before, files)
		}
	}
}

func TestDiesWithTheRelay(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w, err := process.StartWarden(exe, []string{modeWarden})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), bad(t, "ignores its end"), w, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	if err := w.Close(); err != nil { // as the end of the relay does
		t.Error(err)
	}
	if alive(pid) {
		t.Error("the scanner outlived the relay")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
