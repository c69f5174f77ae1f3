package sandbox

import (
	"errors"
	"strings"
)

// Closed confines a program to itself.
type Closed struct {
	// Programs are files and directories that it may read and execute, beside
	// those of the system. One that does not exist is passed over.
	Programs []string
	// Files are files and directories that it may read, likewise.
	Files []string
	// Scratch is a directory that it may use freely, but not execute from.
	Scratch string
	// Network lets it make connections. It still cannot listen on a TCP port.
	Network bool
}

// Open confines a program to everything but some files.
type Open struct {
	// Hidden are absolute paths of files and directories that it may neither read
	// nor change, whether they exist or not.
	Hidden []string
}

// Gap is something that this system cannot enforce.
type Gap string

// The gaps.
const (
	GapFiles     Gap = "files"            // no Landlock: needs Linux 5.13
	GapNetwork   Gap = "network"          // no seccomp on this processor
	GapSignals   Gap = "signals"          // needs Linux 6.12
	GapAbstract  Gap = "abstract sockets" // needs Linux 6.12
	GapTruncated Gap = "truncation"       // needs Linux 6.2
)

// ErrUnavailable says that this system cannot confine programs.
var ErrUnavailable = errors.New("this system cannot confine programs: it takes Linux 5.13 with Landlock")

// Summary says in a few words what holds for a confined program.
func Summary(gaps []Gap) string {
	if len(gaps) == 0 {
		return "confined"
	}
	names := make([]string, len(gaps))
	for i, g := range gaps {
		names[i] = string(g)
	}
	return "confined, but not in " + strings.Join(names, ", ")
}
