package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// ErrStopped says that the supervisor was told to stop.
var ErrStopped = errors.New("the scanner was stopped")

// ErrProtocol says that the scanner speaks another version of the contract.
type ErrProtocol struct{ Have, Want int }

// Error says what to do about the difference.
func (e *ErrProtocol) Error() string {
	if e.Have > e.Want {
		return fmt.Sprintf("the scanner speaks protocol %d, this relay speaks %d: update the relay", e.Have, e.Want)
	}
	return fmt.Sprintf("the scanner speaks protocol %d, this relay speaks %d: update the scanner", e.Have, e.Want)
}

// HandshakeError says why the first line of a scanner's output is no handshake.
// It quotes nothing of it.
type HandshakeError struct{ Reason string }

// Error returns the reason.
func (e *HandshakeError) Error() string { return "handshake: " + e.Reason }

// AddressError says that a scanner asked the relay to connect to a place other
// than a socket of its own in the run directory that was made for it.
type AddressError struct{ Reason string }

// Error returns the reason.
func (e *AddressError) Error() string { return "address in the handshake: " + e.Reason }

// DigestError says that a scanner's program is not the declared one.
type DigestError struct{ Have, Want string }

// Error names both digests.
func (e *DigestError) Error() string {
	return fmt.Sprintf("the program's sha256 is %s, declared is %s: install the declared version or declare this one", e.Have, e.Want)
}

// VerifyError says that what belongs to a scanner's program is not what it
// should be.
type VerifyError struct{ Err error }

// Error returns what is wrong and what to do.
func (e *VerifyError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *VerifyError) Unwrap() error { return e.Err }

// PermissionError says that somebody else could replace a scanner's program or
// the relay's run directory.
type PermissionError struct{ Path, Reason string }

// Error says what to change.
func (e *PermissionError) Error() string { return e.Path + ": " + e.Reason }

// ConfigError holds everything that a scanner finds wrong with its configuration.
type ConfigError struct{ Problems []Problem }

// Problem is one thing that is wrong with a configuration.
type Problem struct{ Pointer, Message string }

// Error lists the problems.
func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString("the scanner refuses its configuration")
	for _, p := range e.Problems {
		b.WriteString("; ")
		if p.Pointer != "" {
			b.WriteString(p.Pointer + ": ")
		}
		b.WriteString(p.Message)
	}
	return b.String()
}

// StartError says why a scanner did not get as far as being ready, with the last
// that it wrote to stderr, escaped for showing.
type StartError struct {
	Scanner string
	Err     error
	Stderr  string
}

// Error describes the failed start.
func (e *StartError) Error() string {
	text := fmt.Sprintf("start scanner %q: %v", e.Scanner, e.Err)
	if e.Stderr != "" {
		text += "; it wrote: " + e.Stderr
	}
	return text
}

// Unwrap returns the reason.
func (e *StartError) Unwrap() error { return e.Err }

// permanent reports whether trying again cannot help: somebody has to change the
// program, its place or its configuration.
func permanent(err error) bool {
	return errors.As(err, new(*ErrProtocol)) || errors.As(err, new(*AddressError)) || errors.As(err, new(*DigestError)) ||
		errors.As(err, new(*PermissionError)) || errors.As(err, new(*ConfigError)) || errors.As(err, new(*SandboxError)) ||
		errors.As(err, new(*VerifyError))
}

// unstartable reports whether there is nothing that could be started, or nothing
// that is a scanner. Before the first start that is a mistake in the
// configuration; later a program may be missing for the moment of its upgrade.
func unstartable(err error) bool {
	return errors.As(err, new(*HandshakeError)) ||
		errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)
}
