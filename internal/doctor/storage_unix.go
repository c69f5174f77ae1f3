//go:build unix

package doctor

import "golang.org/x/sys/unix"

// available returns the bytes that this user may still write to the disk of a
// directory.
func available(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true //nolint:gosec,unconvert // the types differ between systems
}
