//go:build unix

package plugin

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
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

// lock takes the exclusive lock of an open directory and reports whether it got
// it in time. The lock is gone when the descriptor is closed, however the relay
// ends. It is asked for again and again, because waiting for it has no end when
// its holder wants to be a nuisance.
func lock(f *os.File, patience time.Duration) bool {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
	}
}
