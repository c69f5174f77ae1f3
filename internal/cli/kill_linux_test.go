package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// descendants returns the processes below root, each as pid and start time, so
// that a process that gets a pid again is not taken for the one before.
func descendants(root int) map[string]string {
	children := map[int][]int{}
	facts := map[int][2]string{} // start time, name
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		pid, ppid, started, name, ok := stat(file)
		if ok {
			children[ppid] = append(children[ppid], pid)
			facts[pid] = [2]string{started, name}
		}
	}
	found := map[string]string{}
	for queue := children[root]; len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		found[fmt.Sprintf("%d@%s", pid, facts[pid][0])] = facts[pid][1]
		queue = append(queue, children[pid]...)
	}
	return found
}

// stat reads a process's pid, parent, start time and name.
func stat(file string) (pid, ppid int, started, name string, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, "", "", false
	}
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	if open < 0 || len(fields) < 20 || fields[0] == "Z" {
		return 0, 0, "", "", false
	}
	pid, _ = strconv.Atoi(strings.TrimSpace(string(text[:open])))
	ppid, _ = strconv.Atoi(fields[1])
	return pid, ppid, fields[19], string(text[open+1 : end]), true
}

// left returns those of the processes that are still there.
func left(of map[string]string) []string {
	var alive []string
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		if pid, _, started, name, ok := stat(file); ok {
			if _, ours := of[fmt.Sprintf("%d@%s", pid, started)]; ours {
				alive = append(alive, fmt.Sprintf("%d (%s)", pid, name))
			}
		}
	}
	return alive
}

// TestNothingOutlivesTheRelay ends the relay in every way while an npx-shaped
// tree, whose leaf ignores the end of its input and every polite signal, and
// two scanners stand behind it.
func TestNothingOutlivesTheRelay(t *testing.T) {
	ends := map[string]func(t *testing.T, p *program){
		"SIGKILL":      func(_ *testing.T, p *program) { _ = p.cmd.Process.Kill() },
		"SIGTERM":      func(_ *testing.T, p *program) { _ = p.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":       func(_ *testing.T, p *program) { _ = p.cmd.Process.Signal(os.Interrupt) },
		"end of input": func(_ *testing.T, p *program) { _ = p.in.Close() },
		"SIGKILL mid-call": func(_ *testing.T, p *program) {
			_, _ = p.in.Write([]byte(`{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"never__echo"}}` + "\n"))
			time.Sleep(50 * time.Millisecond)
			_ = p.cmd.Process.Kill()
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startProgram(t, object(
				"mcpServers", object("tree", hostileProgram("tree", t.Name()), "never", hostileProgram("never")),
				"relay", object("scanners", []any{object("name", "noop", "plugin", "noop"), object("name", "guard", "plugin", "guard")}),
			))
			if err := p.Handshake(); err != nil {
				t.Fatalf("%v\n%s", err, p.stderr)
			}
			if tools, _, err := p.Tools(); err != nil || len(tools) != 4 {
				t.Fatalf("tools %s: %v\n%s", tools, err, p.stderr)
			}
			tree := descendants(p.cmd.Process.Pid)
			// A warden, two scanners, never, and the tree's program, two shells
			// and leaf.
			if len(tree) < 7 {
				t.Fatalf("only %d processes: %v", len(tree), tree)
			}
			end(t, p)
			_ = p.cmd.Wait()
			deadline := time.Now().Add(15 * time.Second)
			for len(left(tree)) > 0 {
				if time.Now().After(deadline) {
					t.Fatalf("left behind: %s\n%s", left(tree), p.stderr)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}
