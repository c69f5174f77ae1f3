package procstat

import (
	"bufio"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// orphan starts a shell in its own session that leaves a sleeping child behind
// and ends, or waits for it.
func orphan(t *testing.T, script string) (cmd *exec.Cmd, child int) {
	t.Helper()
	cmd = exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if child, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(child, syscall.SIGKILL)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, child
}

func holds(tree []Proc, pid int) bool {
	return slices.ContainsFunc(tree, func(p Proc) bool { return p.PID == pid })
}

func TestTreeFindsChildren(t *testing.T) {
	cmd, child := orphan(t, "sleep 30 >/dev/null & echo $!; wait")
	tree := Tree(cmd.Process.Pid)
	if !holds(tree, child) || !holds(tree, cmd.Process.Pid) || holds(tree, os.Getpid()) {
		t.Errorf("tree of %d with child %d: %v", cmd.Process.Pid, child, tree)
	}
}

func TestTreeFindsOrphans(t *testing.T) {
	cmd, child := orphan(t, "sleep 30 >/dev/null & echo $!; sleep 0.05")
	if _, err := cmd.Process.Wait(); err != nil {
		t.Fatal(err)
	}
	if tree := Tree(cmd.Process.Pid); !holds(tree, child) || len(tree) != 1 {
		t.Errorf("what the session of %d left: %v, want %d", cmd.Process.Pid, tree, child)
	}
}

func TestCPUAndMemory(t *testing.T) {
	if m := Mem(os.Getpid()); m.RSS == 0 || m.Peak < m.RSS {
		t.Errorf("memory %+v", m)
	}
	before := Self()
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
		_ = strconv.Itoa(int(before))
	}
	if Self() == before {
		t.Error("spinning for 50 ms cost nothing")
	}
}

// A process that is not dumpable stays in the tree, with what it costs.
func TestProcessesThatHide(t *testing.T) {
	const prSetDumpable = 4
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		t.Skip(errno)
	}
	defer func() { _, _, _ = syscall.Syscall(syscall.SYS_PRCTL, prSetDumpable, 1, 0) }()
	pid := os.Getpid()
	if !holds(Tree(pid), pid) {
		t.Error("the process is not in its own tree")
	}
	if m := Mem(pid); m.RSS == 0 {
		t.Error("its memory cannot be read")
	}
	if CPU(pid) == 0 {
		t.Error("its CPU time cannot be read")
	}
}
