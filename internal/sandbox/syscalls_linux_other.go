//go:build linux && !amd64 && !arm64

package sandbox

import "golang.org/x/sys/unix"

// closedFilter returns nil: the numbers of this processor's system calls differ.
func closedFilter(bool) []unix.SockFilter { return nil }
