package front

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when goroutines of this package outlive the tests: each test's
// server is shut down at its end.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leaked(); left != "" {
			_, _ = os.Stderr.WriteString("goroutines are left over:\n" + left + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

// leaked returns the stacks of goroutines that serve a client although nobody
// is there any more, after giving them time to end.
func leaked() string {
	deadline := time.Now().Add(5 * time.Second)
	for {
		buf := make([]byte, 1<<20)
		var left []string
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(stack, "internal/front.(*") && !strings.Contains(stack, "leaked(") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
