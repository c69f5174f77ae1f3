//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"syscall"
)

// exposed says what is wrong with the permissions of a file, and what to do.
func exposed(info fs.FileInfo, secret bool) (wrong, do string) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	perm := info.Mode().Perm()
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "", "" // what it leads to is checked when it is used
	case ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return "belongs to another user", "make it yours, or copy it"
	case perm&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
		return "can be written by other users", "run chmod go-w on it"
	case secret && perm&0o077 != 0:
		return "can be read by other users", "run chmod go-rwx on it"
	default:
		return "", ""
	}
}
