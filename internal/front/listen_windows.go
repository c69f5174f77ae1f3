package front

import (
	"context"
	"errors"
	"net"
)

// ListenUnix is not there on Windows, where the mode of a socket does not keep
// others out.
func ListenUnix(context.Context, string) (net.Listener, error) {
	return nil, errors.New("unix sockets are not supported on Windows; listen on a loopback address")
}
