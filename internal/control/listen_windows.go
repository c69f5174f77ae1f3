package control

import (
	"errors"
	"log/slog"
	"net"
)

// The name of a socket.
const (
	prefix = "control-"
	suffix = ".sock"
)

// Listen fails: Windows does not say whose process is at the other end of a
// socket. A relay there is restarted to take another configuration over.
func Listen(string, *slog.Logger) (*Server, error) { return nil, errors.ErrUnsupported }

// sameUser reports false: see Listen.
func sameUser(*net.UnixConn) bool { return false }
