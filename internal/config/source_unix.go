//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// openPlain opens a file without waiting: a FIFO of that name must not hang
// the relay before it can be refused.
func openPlain(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// checkOwner refuses a file that somebody other than the user and root could
// have written.
func checkOwner(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if uid := int(stat.Uid); uid != 0 && uid != os.Geteuid() {
		return &untrustedError{"it belongs to another user", "make it yours: chown it, or copy it"}
	}
	if info.Mode().Perm()&0o022 != 0 {
		return &untrustedError{"its group or others may write to it", "run chmod go-w on it"}
	}
	return nil
}
