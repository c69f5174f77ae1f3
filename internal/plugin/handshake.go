package plugin

import (
	"crypto/x509"
	"encoding/base64"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// maxHandshake bounds the first line of a scanner's output. A certificate of the
// usual size takes a tenth of it.
const maxHandshake = 16 << 10

// greeting is the line that a scanner prints when it listens:
// core|protocol|network|address|grpc|certificate.
type greeting struct{ network, address string }

// parseGreeting reads the line and decides whether the relay may connect to the
// address in it: on Windows a port of this machine, elsewhere only a socket that
// lies in dir itself.
func parseGreeting(line, dir string) (greeting, error) {
	parts := strings.Split(strings.TrimSpace(line), "|")
	if len(parts) < 4 {
		return greeting{}, &HandshakeError{Reason: "the first line of its output is not one; a scanner must print nothing else to stdout"}
	}
	core, err := strconv.Atoi(parts[0])
	if err != nil || core != goplugin.CoreProtocolVersion {
		return greeting{}, &HandshakeError{Reason: "its go-plugin core version is not " + strconv.Itoa(goplugin.CoreProtocolVersion)}
	}
	protocol, err := strconv.Atoi(parts[1])
	if err != nil {
		return greeting{}, &HandshakeError{Reason: "its protocol version is not a number"}
	}
	if protocol != handshake.ProtocolVersion {
		return greeting{}, &ErrProtocol{Have: protocol, Want: handshake.ProtocolVersion}
	}
	if len(parts) < 6 || parts[4] != string(goplugin.ProtocolGRPC) {
		return greeting{}, &HandshakeError{Reason: "it does not speak gRPC with a certificate"}
	}
	if der, err := base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return greeting{}, &HandshakeError{Reason: "its certificate is not base64 without padding"}
	} else if _, err := x509.ParseCertificate(der); err != nil {
		return greeting{}, &HandshakeError{Reason: "its certificate does not parse"}
	}
	g := greeting{network: parts[2], address: parts[3]}
	if runtime.GOOS == "windows" {
		return g, checkPort(g)
	}
	return g, checkSocket(g, dir)
}

// checkSocket accepts a path of a socket in dir and nothing else.
func checkSocket(g greeting, dir string) error {
	switch {
	case g.network != "unix":
		return &AddressError{Reason: "it is not a unix socket"}
	case g.address == "" || g.address[0] == '@' || strings.ContainsRune(g.address, 0):
		return &AddressError{Reason: "an abstract socket has no owner"}
	case filepath.Clean(g.address) != g.address || filepath.Dir(g.address) != dir:
		return &AddressError{Reason: "it is not in the run directory of this scanner"}
	}
	info, err := os.Lstat(g.address)
	if err != nil {
		return &AddressError{Reason: "there is no socket"}
	}
	if info.Mode().Type() != fs.ModeSocket {
		return &AddressError{Reason: "it is not a socket"}
	}
	return nil
}

// checkPort accepts a port of 127.0.0.1 and nothing else.
func checkPort(g greeting) error {
	at, err := netip.ParseAddrPort(g.address)
	if g.network != "tcp" || err != nil || at.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
		return &AddressError{Reason: "it is not a TCP port of 127.0.0.1"}
	}
	return nil
}
