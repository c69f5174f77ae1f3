package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// processes lists nothing: on macOS a tree is its process group.
func processes(uint64) []proc { return nil }

// empty reports whether no process of the group is left.
func (t *tree) empty([]proc) bool {
	return t.pgid == 0 || errors.Is(unix.Kill(-t.pgid, 0), unix.ESRCH)
}

// startTime returns when the process started, in microseconds, or 0.
func startTime(pid int) uint64 {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return 0
	}
	t := info.Proc.P_starttime
	return uint64(t.Sec)*1e6 + uint64(t.Usec)
}

// openPath returns path: macOS cannot execute an open file.
func openPath(_ *os.File, path string) string { return path }

// sealDescriptors keeps descriptors that the relay itself inherited from
// whoever started it from reaching a child. Go's own are sealed already.
func sealDescriptors() { sealListed("/dev/fd") }
