package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// ErrPublic says that an address can be reached from other machines.
var ErrPublic = errors.New("the address is not a loopback address; other machines could reach it")

// ListenTCP listens on host:port. Without public it returns an error that wraps
// ErrPublic for any host but a loopback address or localhost; an empty host is
// every address that the machine has.
func ListenTCP(ctx context.Context, address string, public bool) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the address to listen on needs the form host:port: %w", err)
	}
	if !public {
		if !loopback(host) {
			return nil, fmt.Errorf("listening on %q: %w", address, ErrPublic)
		}
		if host == "localhost" {
			host = "127.0.0.1" // whatever the name leads to
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return l, nil
}

// Loopback reports whether nothing but this machine can reach host:port.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback(host)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
