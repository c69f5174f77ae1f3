package conformance

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// greeting is a handshake line:
// core|protocol|network|address|grpc|certificate.
type greeting struct {
	network, address string
	certificate      *x509.Certificate
}

func parseGreeting(line string) (greeting, error) {
	if len(line) > maxGreeting {
		return greeting{}, fmt.Errorf("the first line on standard output is longer than %d bytes", maxGreeting)
	}
	fields := strings.Split(line, "|")
	if len(fields) < 6 {
		return greeting{}, fmt.Errorf("the first line on standard output has %d fields instead of 6: %.80q", len(fields), line)
	}
	switch {
	case fields[0] != "1":
		return greeting{}, fmt.Errorf("the core protocol is %.20q instead of 1", fields[0])
	case fields[1] != strconv.Itoa(handshake.ProtocolVersion):
		return greeting{}, fmt.Errorf("the scanner protocol is %.20q instead of %d", fields[1], handshake.ProtocolVersion)
	case fields[4] != "grpc":
		return greeting{}, fmt.Errorf("the transport is %.20q instead of grpc", fields[4])
	}
	der, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil {
		return greeting{}, errors.New("the certificate is not base64 without padding")
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return greeting{}, fmt.Errorf("the certificate does not parse: %w", err)
	}
	return greeting{network: fields[2], address: fields[3], certificate: certificate}, nil
}

// checkAddress tells why the relay would not connect there.
func (g greeting) checkAddress(sockets string) error {
	if runtime.GOOS == "windows" {
		at, err := netip.ParseAddrPort(g.address)
		if g.network != "tcp" || err != nil || at.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
			return fmt.Errorf("the address %s %.80q is not a TCP port of 127.0.0.1", g.network, g.address)
		}
		return nil
	}
	if g.network != "unix" {
		return fmt.Errorf("the network is %.20q instead of unix", g.network)
	}
	if filepath.Clean(g.address) != g.address || filepath.Dir(g.address) != sockets {
		return fmt.Errorf("the socket %.120q is not directly in PLUGIN_UNIX_SOCKET_DIR, which is %q", g.address, sockets)
	}
	info, err := os.Lstat(g.address)
	if err != nil {
		return fmt.Errorf("there is no socket %.120q: %w", g.address, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%.120q is not a socket", g.address)
	}
	return nil
}
