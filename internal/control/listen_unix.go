//go:build unix

package control

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/statefile"
)

// The name of a socket.
const (
	prefix = "control-"
	suffix = ".sock"
)

// Listen opens the control socket of this process in a directory, which is made
// if need be and must be the user's alone. What a process that is gone left
// there is removed.
func Listen(dir string, log *slog.Logger) (*Server, error) {
	d, err := statefile.Create(dir)
	if err != nil {
		return nil, fmt.Errorf("the directory of the control socket: %w", err)
	}
	d.Close()
	path := filepath.Join(dir, prefix+strconv.Itoa(os.Getpid())+suffix)
	_ = os.Remove(path) // of a process that had the number before
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("the control socket: %w", err)
	}
	// The directory keeps others out until then.
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("the control socket: %w", err)
	}
	return &Server{listener: l, path: path, log: log, trusted: sameUser, patience: patience}, nil
}

// sameUser reports whether this user's process is at the other end.
func sameUser(conn *net.UnixConn) bool {
	uid, err := process.PeerUID(conn)
	return err == nil && uid == os.Geteuid()
}
