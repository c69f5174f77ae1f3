package guard

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the processor time that this process has used: what others do
// on the machine does not count.
func cpuTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}
