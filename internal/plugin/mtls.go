package plugin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// clientCertVariable tells a scanner which certificate its only client has.
const clientCertVariable = "PLUGIN_CLIENT_CERT"

// identity is the relay's side of the mutual TLS with one child: go-plugin's
// AutoMTLS, but on curve P-256. The library's own P-521 takes some 20 ms of
// every start, and gRPC for Python did not take it for years.
type identity struct {
	config *tls.Config
	pem    string // the certificate, for the child
}

// peerName is the name that go-plugin's certificates carry on both sides.
const peerName = "localhost"

// newIdentity makes a certificate that lives as long as one child.
func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: peerName},
		DNSNames:     []string{peerName},
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		NotBefore:    time.Now().Add(-time.Minute),
		// A scanner may run for as long as the relay does.
		NotAfter:              time.Now().AddDate(30, 0, 0),
		BasicConstraintsValid: true,
		IsCA:                  true, // the child trusts it as the root of itself
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &identity{
		config: &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
			ServerName:   peerName,
			MinVersion:   tls.VersionTLS12,
		},
		pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	}, nil
}
