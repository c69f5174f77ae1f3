package guard

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// startVariable has a test process do what a scanner's process does at its start.
const startVariable = "GUARD_START"

func TestStartProcess(t *testing.T) {
	if os.Getenv(startVariable) == "" {
		t.Skip("BenchmarkStart runs it")
	}
	if err := new(Guard).Configure(t.Context(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := New().Scan(t.Context(), jsonContent(scanner.PhaseResponse, `{"content":[]}`)); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkStart reports the median processor time and the memory of a process
// that starts, reads the rules and scans once: start-ms and rss-MiB.
func BenchmarkStart(b *testing.B) {
	var times []time.Duration
	var memory []int64
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestStartProcess$")
		cmd.Env = append(os.Environ(), startVariable+"=1")
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		times = append(times, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			memory = append(memory, usage.Maxrss)
		}
	}
	slices.Sort(times)
	slices.Sort(memory)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1e3, "start-ms")
	b.ReportMetric(float64(memory[len(memory)/2])/1024, "rss-MiB")
}
