//go:build unix

package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// HardenSelf keeps what the relay holds in memory from the other processes of
// its user: it turns core dumps off and, on Linux, makes the relay non-dumpable,
// so that a child cannot read /proc/PID/environ or mem of its parent. Call it
// before a secret is read. macOS shows a process' initial environment to all
// programs of the same user, and nothing here changes that.
func HardenSelf() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turn core dumps off: %w", err)
	}
	return makeUndumpable()
}
