package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights on files, as Landlock knows them.
const (
	read    = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	execute = read | unix.LANDLOCK_ACCESS_FS_EXECUTE
	// change is to make, write and remove.
	change = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	// never is what no closed program gets, not even in its own directory.
	never = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	// single is what a rule about a file, not a directory, may name.
	single = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// The versions of Landlock's interface that brought what is used here.
const (
	referSince    = 2 // moves between directories; forbidden before
	truncateSince = 3
	netSince      = 4
	ioctlSince    = 5
	scopesSince   = 6
)

// landlockVersion returns the version of the kernel's Landlock, or 0.
func landlockVersion() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// moving returns the rights that the version adds to change.
func moving(version int) uint64 {
	var access uint64
	if version >= referSince {
		access |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= truncateSince {
		access |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	return access
}

func closedAccess(version int) uint64 {
	access := execute | change | moving(version)
	if version >= ioctlSince {
		access |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return access
}

func closedNet(version int, network bool) uint64 {
	switch {
	case version < netSince:
		return 0
	case network:
		return unix.LANDLOCK_ACCESS_NET_BIND_TCP
	default:
		return unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
}

func scopes(version int, wanted uint64) uint64 {
	if version < scopesSince {
		return 0
	}
	return wanted
}

// ruleset collects rules. The first error stays.
type ruleset struct {
	fd      int
	handled uint64
	err     error
}

func newRuleset(fs, net, scoped uint64) (*ruleset, error) {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fs, Handled_access_net: net, Scoped: scoped}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return nil, fmt.Errorf("make the rules of a sandbox: %w", errno)
	}
	return &ruleset{fd: int(fd), handled: fs}, nil
}

// allowAll grants access to what the paths name. A symbolic link stands for what
// it leads to; what is not there is passed over.
func (r *ruleset) allowAll(paths []string, access uint64) {
	for _, path := range paths {
		if path != "" && r.err == nil {
			r.err = r.allow(path, access, 0)
		}
	}
}

func (r *ruleset) allow(path string, access uint64, flags int) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%w: %q", errPath, path)
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
	if missing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s for a sandbox: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }() // it was only named
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("look at %s for a sandbox: %w", path, err)
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
	case unix.S_IFLNK: // with O_NOFOLLOW; what it leads to has rules of its own
		return nil
	default:
		access &= single
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: access & r.handled, Parent_fd: int32(fd)}
	if attr.Allowed_access == 0 {
		return nil
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 && errno != unix.EBADFD { // some files of the kernel's own cannot be named
		return fmt.Errorf("allow %s in a sandbox: %w", path, errno)
	}
	return nil
}

// missing reports whether a path leads to nothing that we could reach either.
func missing(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ELOOP) ||
		errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV)
}
