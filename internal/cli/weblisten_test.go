package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// certificate makes a certificate for the loopback address.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// TestTLS serves over TLS, and nothing in the clear.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t)
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := startWeb(t, nil, one("http", object("tls", object("cert", filepath.Join(dir, "cert.pem"), "key", filepath.Join(dir, "key.pem")))))
	if s, err := w.open(w.request("POST", "/mcp", listTools, modernHeaders("tools/list", "")...)); err == nil {
		if s.status != 400 {
			t.Errorf("in the clear: %d", s.status)
		}
		s.close()
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	w.url = "https" + w.url[len("http"):]
	w.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	for _, modern := range []bool{false, true} {
		c, err := w.client(modern)
		if err != nil || c.text("one__elicit") == "" {
			t.Fatalf("%v\n%s", err, w.stderr)
		}
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}}}
	if resp, err := old.Get(w.url); err == nil {
		_ = resp.Body.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

// TestUnixSocket serves on a socket that nobody else can use, replaces the one
// of a relay that was killed, and leaves none.
func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "relay.sock")
	start := func() *web {
		w := startWeb(t, []string{"--listen", "unix:" + path}, one())
		w.overSocket(path)
		if got := w.knock(); got != 200 {
			t.Errorf("status %d\n%s", got, w.stderr)
		}
		if got := w.knock("Authorization", ""); got != 401 {
			t.Errorf("without a token: %d", got)
		}
		return w
	}
	w := start()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v %v", info, err)
	}
	// Who comes second is told, and does no harm.
	second := startWith(t, []string{"--listen", "unix:" + path}, one())
	second.awaitLog(regexp.MustCompile("another program listens"))
	if err := second.cmd.Wait(); err == nil {
		t.Error("the second relay ended well")
	}
	if got := w.knock(); got != 200 {
		t.Errorf("the first relay: %d", got)
	}
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no socket is left to replace: %v", err)
	}
	w = start()
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, w.stderr)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is left behind")
	}
}
