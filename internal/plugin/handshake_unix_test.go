//go:build unix

package plugin

import (
	"encoding/base64"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
)

func certificate(t testing.TB) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawStdEncoding.EncodeToString(der)
}

func TestParseGreeting(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	path := filepath.Join(dir, "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := os.Symlink(path, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	cert := certificate(t)
	for _, test := range []struct {
		line string
		want any
	}{
		{"1|1|unix|" + path + "|grpc|" + cert, nil},
		{"1|1|unix|" + path + "|grpc|" + cert + "|true\r\n", nil},
		{"", new(*HandshakeError)},
		{"{\"jsonrpc\":\"2.0\"}", new(*HandshakeError)},
		{"2|1|unix|" + path + "|grpc|" + cert, new(*HandshakeError)},
		{"1|x|unix|" + path + "|grpc|" + cert, new(*HandshakeError)},
		{"1|2|unix|" + path + "|grpc|" + cert, new(*ErrProtocol)},
		{"1|0|unix|" + path, new(*ErrProtocol)},
		{"1|1|unix|" + path, new(*HandshakeError)},
		{"1|1|unix|" + path + "|netrpc|" + cert, new(*HandshakeError)},
		{"1|1|unix|" + path + "|grpc|", new(*HandshakeError)},
		{"1|1|unix|" + path + "|grpc|%%%", new(*HandshakeError)},
		{"1|1|unix|" + path + "|grpc|AAAA", new(*HandshakeError)},
		{"1|1|tcp|127.0.0.1:1|grpc|" + cert, new(*AddressError)},
		{"1|1|unix||grpc|" + cert, new(*AddressError)},
		{"1|1|unix|@x|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|sock|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|" + dir + "/./sock|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|" + dir + "/sub/../sock|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|" + dir + "/sub|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|" + dir + "/link|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|" + dir + "/none|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|" + dir + "|grpc|" + cert, new(*AddressError)},
		{"1|1|unix|/var/run/docker.sock|grpc|" + cert, new(*AddressError)},
	} {
		g, err := parseGreeting(test.line, dir)
		line := strings.ReplaceAll(test.line, cert, "CERT")
		switch {
		case test.want == nil:
			if err != nil || g.address != path {
				t.Errorf("%q: %+v, %v", line, g, err)
			}
		case !errors.As(err, test.want):
			t.Errorf("%q: %v, want a %T", line, err, test.want)
		}
	}
}

func TestOnlyLoopbackPorts(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:10000": true, "127.0.0.2:1": false, "10.0.0.1:443": false, "localhost:1": false, "[::1]:1": false, "127.0.0.1": false, "": false,
	} {
		if err := checkPort(greeting{network: "tcp", address: address}); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	if checkPort(greeting{network: "udp", address: "127.0.0.1:1"}) == nil {
		t.Error("udp is accepted")
	}
}

func FuzzParseGreeting(f *testing.F) {
	f.Add("1|1|unix|/run/x/sock|grpc|AAAA")
	f.Add("1|1|tcp|127.0.0.1:1|grpc|")
	f.Add("|||||")
	f.Add("1|99999999999999999999|unix|a|grpc|b")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, line string) {
		if g, err := parseGreeting(line, dir); err == nil {
			t.Errorf("accepted %+v, and there is no socket in the directory", g)
		}
	})
}
