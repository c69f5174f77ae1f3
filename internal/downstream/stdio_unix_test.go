//go:build unix

package downstream

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStdioGrandchild(t *testing.T) {
	i := dial(t, spec("parent"), &notes{})
	awaitDone(t, i) // which the grandchild, at an hour, would be too late for
	i.Close(time.Second)
	pid, err := strconv.Atoi(strings.TrimSpace(i.Stderr()))
	if err != nil {
		t.Fatalf("stderr: %q", i.Stderr())
	}
	for deadline := time.Now().Add(patience); syscall.Kill(pid, 0) == nil && !isZombie(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d survived", pid)
		}
	}
}

// isZombie tells a process that has ended but whom nobody has waited for.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}
