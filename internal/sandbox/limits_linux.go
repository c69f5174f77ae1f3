package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Limit puts limits on a process of ours. Core files are switched off too: what
// it was given may be secret.
func Limit(pid int, l Limits) error {
	for resource, limit := range map[int]uint64{unix.RLIMIT_DATA: l.Data, unix.RLIMIT_NOFILE: l.Files} {
		if limit == 0 || resource == unix.RLIMIT_DATA && traced {
			continue
		}
		var now unix.Rlimit
		if err := unix.Prlimit(pid, resource, nil, &now); err != nil {
			return fmt.Errorf("read the limits of a process: %w", err)
		}
		limit = min(limit, now.Max) // a process without privileges cannot raise it
		if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: limit, Max: limit}, nil); err != nil {
			return fmt.Errorf("limit a process: %w", err)
		}
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return fmt.Errorf("turn core files of a process off: %w", err)
	}
	return nil
}
