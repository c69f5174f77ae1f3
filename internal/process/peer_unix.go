//go:build unix

package process

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// CheckPeer returns nil when the process at the other end of conn, the one that
// listens there, is the child or in its group, and ErrForeignPeer otherwise. It
// asks the kernel, so that nothing that the child says about its socket has to
// be believed.
func (p *Process) CheckPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("ask for the peer of a socket: %w", err)
	}
	var pid int
	var asked error
	if err := raw.Control(func(fd uintptr) { pid, asked = peerPID(int(fd)) }); err != nil {
		return fmt.Errorf("ask for the peer of a socket: %w", err)
	}
	if asked != nil {
		return fmt.Errorf("ask for the peer of a socket: %w", asked)
	}
	if pid == p.PID() {
		return nil
	}
	if pid <= 0 {
		return ErrForeignPeer
	}
	if pgid, err := unix.Getpgid(pid); err != nil || pgid != p.PID() {
		return ErrForeignPeer
	}
	return nil
}

// PeerUID returns the user of the process at the other end of conn, as the
// kernel noted it when they were connected.
func PeerUID(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("ask for the peer of a socket: %w", err)
	}
	var uid int
	var asked error
	if err := raw.Control(func(fd uintptr) { uid, asked = peerUID(int(fd)) }); err != nil {
		return 0, fmt.Errorf("ask for the peer of a socket: %w", err)
	}
	if asked != nil {
		return 0, fmt.Errorf("ask for the peer of a socket: %w", asked)
	}
	return uid, nil
}
