//go:build unix

package statefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a named pipe from hanging whoever opens it.
const openFlags = syscall.O_NONBLOCK

var errOwner = errors.New("it belongs to another user: remove it, or make it yours with chown")

// checkAccess refuses what belongs to somebody else, and what gives others one
// of the permissions in forbidden.
func checkAccess(info fs.FileInfo, forbidden fs.FileMode, hint string) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return errOwner
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fmt.Errorf("others than you have access to it (mode %04o): %s", mode, hint)
	}
	return nil
}
