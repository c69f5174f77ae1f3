//go:build unix

package process

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestNothingSurvivesAKilledRelay(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(self(t), modeRelay)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	out := bufio.NewReader(stdout)
	for {
		next, err := out.Peek(5)
		if err != nil {
			t.Fatal(err)
		}
		if string(next) == "ready" {
			break
		}
		pids = append(pids, readPID(t, out))
	}
	if len(pids) != 9 {
		t.Fatalf("got %d processes, want a warden and four children with a leaf each", len(pids))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if runtime.GOOS != "linux" {
		pids = append(pids[:4], pids[5], pids[7], pids[8]) // without those that left their group
	}
	wantGone(t, pids...)
}

func TestEscapedGrandchildrenEndWithTheirInstance(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux finds them")
	}
	for name, args := range map[string][]string{
		"daemon":         {"/bin/sh", "-c", `"$0" ` + modeEscape + `; sleep 60`, self(t)},
		"session":        {self(t), modeEscape, "stay"},
		"no environment": {"/bin/sh", "-c", `setsid env -i "$0" ` + modeStubborn + ` & sleep 60`, self(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, out := start(t, Spec{Path: args[0], Args: args[1:], Env: os.Environ()}, nil)
			leaf := readPID(t, out)
			if pgid, err := syscall.Getpgid(leaf); err != nil || pgid == p.PID() {
				t.Fatalf("the leaf is in group %d (%v): it did not escape", pgid, err)
			}
			p.Stop(20 * time.Millisecond)
			if alive(leaf) {
				t.Error("the leaf is alive after Stop")
				_ = syscall.Kill(leaf, syscall.SIGKILL)
			}
		})
	}
}

func TestWardenIsReplacedAndStillEndsGroups(t *testing.T) {
	t.Parallel()
	w, err := StartWarden(self(t), []string{modeWarden})
	if err != nil {
		t.Fatal(err)
	}
	p, out := start(t, Spec{Args: []string{modeStubborn}}, w)
	readPID(t, out)
	first := w.PID()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); w.PID() == first; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no new warden")
		}
	}
	second := w.PID()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	<-p.Done()
	wantGone(t, first, second)
	if err := w.Close(); err != nil {
		t.Errorf("a second Close failed: %v", err)
	}
}

func TestWardenEndsAtOnceWhenNothingIsRegistered(t *testing.T) {
	t.Parallel()
	w, err := StartWarden(self(t), []string{modeWarden})
	if err != nil {
		t.Fatal(err)
	}
	p, out := start(t, Spec{Args: []string{modePolite}}, w)
	readPID(t, out)
	pid := w.PID()
	for !ignoresHangup(t, pid) { // it takes a moment to start
		time.Sleep(5 * time.Millisecond)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	p.Stop(patience)
	if w.PID() != pid || !alive(pid) {
		t.Error("a signal ended the warden")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	wantGone(t, pid)
}

// ignoresHangup reports whether a living process ignores SIGHUP.
func ignoresHangup(t *testing.T, pid int) bool {
	t.Helper()
	raw, err := exec.Command("ps", "-o", "ignored=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal("the warden is gone")
	}
	mask, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return mask&1 != 0
}

func TestFollow(t *testing.T) {
	t.Parallel()
	trees, err := follow(strings.NewReader("tree abc/\n+ 100 7\n+ 200 8\n- 100\nword\n+ x y\n+ 1 1\n+ -5 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(trees) != 2 || trees[0].cookie != "abc/" || trees[1].pgid != 200 || trees[1].start != 8 {
		t.Errorf("got %+v", trees)
	}
}

func FuzzFollow(f *testing.F) {
	f.Add("tree abc/\n+ 100 7\n- 100\n")
	f.Add("+ 0 0\n+ -1 1\n+ 1 1\n+ 99999999999999999999 1")
	f.Fuzz(func(t *testing.T, lines string) {
		trees, _ := follow(strings.NewReader(lines))
		for i, tree := range trees {
			if i > 0 && tree.pgid <= 1 {
				t.Errorf("would signal group %d", tree.pgid)
			}
		}
	})
}

func TestTreeLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	table := []proc{
		{pid: 10, ppid: 1, pgrp: 10, start: 5},
		{pid: 11, ppid: 10, pgrp: 10, start: 6},
		{pid: 12, ppid: 11, pgrp: 12, start: 7},                // left the group
		{pid: 13, ppid: 1, pgrp: 13, start: 8, cookie: "c/1/"}, // left the tree
		{pid: 14, ppid: 1, pgrp: 14, start: 8, cookie: "c/11/"},
		{pid: 15, ppid: 10, pgrp: 10, start: 9, zombie: true},
		{pid: 16, ppid: 1, pgrp: 16, start: 9},
	}
	members := func(tr *tree, table []proc) (pids []int) {
		for _, p := range tr.find(table) {
			pids = append(pids, p.pid)
		}
		return pids
	}
	child := &tree{pgid: 10, start: 5, cookie: "c/1/"}
	if got := members(child, table); !equal(got, 10, 11, 12, 13) {
		t.Errorf("members of the child: %v", got)
	}
	// 12 lost its parents but is remembered; 13 is another process by now.
	later := []proc{{pid: 12, ppid: 1, pgrp: 12, start: 7}, {pid: 13, ppid: 1, pgrp: 13, start: 99}}
	if got := members(child, later); !equal(got, 12) {
		t.Errorf("members later: %v", got)
	}
	if got := members(&tree{pgid: 10, start: 4}, table); len(got) != 0 {
		t.Errorf("a recycled group has members: %v", got)
	}
	if got := members(&tree{cookie: "c/"}, table); !equal(got, 13, 14) {
		t.Errorf("members by the relay's cookie: %v", got)
	}
}

func equal(got []int, want ...int) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

// TestAWatchedProcessEndsWithTheWarden: somebody else started it.
func TestAWatchedProcessEndsWithTheWarden(t *testing.T) {
	t.Parallel()
	w, err := StartWarden(self(t), []string{modeWarden})
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for range 2 {
		cmd := exec.Command(self(t), modeStubborn)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		unwatch := w.Watch(cmd.Process.Pid)
		pids = append(pids, readPID(t, bufio.NewReader(stdout)))
		if len(pids) == 2 {
			unwatch()
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	wantGone(t, pids[0])
	if !alive(pids[1]) {
		t.Error("a process that was not watched any more was ended")
	}
}
