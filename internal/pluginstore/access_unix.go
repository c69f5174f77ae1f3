//go:build unix

package pluginstore

import (
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a named pipe from hanging whoever opens it.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW

func links(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // its type differs between systems
	}
	return 1
}

// exposed says how somebody else could change an installed file or directory.
func exposed(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return "belongs to another user"
	case info.Mode().Perm()&0o022 != 0:
		return "can be written by others"
	}
	return ""
}
