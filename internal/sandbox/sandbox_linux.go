package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Confinement is a profile in the kernel's terms. It may be used for several
// starts, by one goroutine at a time; Close it afterwards.
type Confinement struct {
	ruleset int // descriptor of Landlock's rules; -1: none
	filter  []unix.SockFilter
	gaps    []Gap
}

// Available reports whether this system can confine what programs do with files.
func Available() bool { return landlockVersion() > 0 }

// OpenAvailable reports whether this system can hide files from programs.
func OpenAvailable() bool { return landlockVersion() >= referSince }

// Prepare turns the profile into rules. What this system cannot enforce is in
// Gaps; the error is ErrUnavailable when that is everything.
func (p Closed) Prepare() (*Confinement, error) {
	c := &Confinement{ruleset: -1}
	version := landlockVersion()
	c.filter = closedFilter(p.Network)
	if c.filter == nil {
		c.gaps = append(c.gaps, GapNetwork)
	}
	if version == 0 {
		if c.filter == nil {
			return nil, ErrUnavailable
		}
		c.gaps = append(c.gaps, GapFiles, GapSignals, GapAbstract)
		return c, nil
	}
	if c.filter == nil && version < 3 { // seccomp refuses it too
		c.gaps = append(c.gaps, GapTruncated)
	}
	c.noteScopes(version, GapSignals, GapAbstract)
	scoped := scopes(version, unix.LANDLOCK_SCOPE_SIGNAL|unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)
	rules, err := newRuleset(closedAccess(version), closedNet(version, p.Network), scoped)
	if err != nil {
		return nil, err
	}
	c.ruleset = rules.fd
	rules.allowAll(systemPrograms(), execute)
	rules.allowAll(systemFiles(), read)
	rules.allowAll(devices(), read|unix.LANDLOCK_ACCESS_FS_WRITE_FILE)
	rules.allowAll(p.Programs, execute)
	rules.allowAll(p.Files, read)
	rules.allowAll([]string{p.Scratch}, closedAccess(version)&^never)
	if rules.err != nil {
		c.Close()
		return nil, rules.err
	}
	return c, nil
}

func (c *Confinement) noteScopes(version int, gaps ...Gap) {
	if version < scopesSince {
		c.gaps = append(c.gaps, gaps...)
	}
}

// Gaps returns what of the profile this system cannot enforce.
func (c *Confinement) Gaps() []Gap { return slices.Clone(c.gaps) }

// Close gives back what the rules hold. Programs that run stay confined.
func (c *Confinement) Close() {
	if c.ruleset >= 0 {
		_ = unix.Close(c.ruleset) // it was only read
		c.ruleset = -1
	}
}

// Run calls f on a thread that is confined and ends after it. f should do little
// but start a program: for everything else it lacks the rights. When the thread
// cannot be confined, f is not called.
func (c *Confinement) Run(f func()) error {
	done := make(chan error, 1)
	go c.run(f, done)
	return <-done
}

// run never unlocks the thread that it confines, so that the runtime ends it.
func (c *Confinement) run(f func(), done chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The first thread of a process cannot end. While it is held here, the
		// next goroutine runs on another.
		defer runtime.UnlockOSThread()
		other := make(chan error, 1)
		go c.run(f, other)
		done <- <-other
		return
	}
	err := c.apply()
	if err == nil {
		f()
	}
	done <- err
}

// apply confines the calling thread.
func (c *Confinement) apply() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("confine a program: no new privileges: %w", err)
	}
	if c.ruleset >= 0 {
		if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(c.ruleset), 0, 0); errno != 0 {
			return fmt.Errorf("confine a program: its files: %w", errno)
		}
	}
	if c.filter == nil {
		return nil
	}
	program := unix.SockFprog{Len: uint16(len(c.filter)), Filter: &c.filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(c)
	if errno != 0 {
		return fmt.Errorf("confine a program: its system calls: %w", errno)
	}
	return nil
}

var errPath = errors.New("a path of a sandbox must be absolute")
