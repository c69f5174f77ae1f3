//go:build unix

package plugin

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkChain refuses a path of which any part, from the root to the file, could
// be changed by somebody other than us or root. In a directory that others may
// write, the sticky bit protects entries that are ours or root's.
func checkChain(path string) error {
	for guarded := false; ; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		if err != nil {
			return fmt.Errorf("check who may change the scanner's program: %w", err)
		}
		if !trusted(info) {
			return &PermissionError{Path: path, Reason: "belongs to another user: install the scanner as yourself or as root"}
		}
		writable := info.Mode().Perm()&0o022 != 0
		if writable && (!guarded || info.Mode()&fs.ModeSticky == 0) {
			return &PermissionError{Path: path, Reason: "can be written by other users: run `chmod go-w` on it"}
		}
		if path == filepath.Dir(path) {
			return nil
		}
		guarded = true // the entry that was just checked is ours or root's
	}
}

// trusted reports whether a file belongs to us or to root.
func trusted(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid())
}

// ours reports whether a file belongs to us and is closed to everybody else.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}

// lock takes the exclusive lock of an open directory; it is gone when the
// descriptor is closed, however the relay ends. Without wait, false means that
// somebody else holds it.
func lock(f *os.File, wait bool) bool {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err != syscall.EINTR { //nolint:errorlint // a system call returns its number as it is
			return err == nil
		}
	}
}
