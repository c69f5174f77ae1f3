//go:build unix

package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// TestMain lets this test binary be the program that is checked.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "__spoiled" {
		serveFault(os.Args[2])
	}
	os.Exit(m.Run())
}

func TestNoFaultOfAProgramIsFound(t *testing.T) {
	t.Parallel()
	wantFaults(t, Program(t.Context(), os.Args[0], []string{"__spoiled", ""}, modelOptions()))
}

func TestFaultsOfPrograms(t *testing.T) {
	for fault, name := range processFaults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			o := modelOptions()
			o.sizes.omit = costlyBut(name)
			if fault == "never handshakes" {
				o.sizes.start = time.Second
			}
			wantFaults(t, Program(t.Context(), os.Args[0], []string{"__spoiled", fault}, o), name)
		})
	}
}

// Nothing of a program is left when its checks are over, or broken off.
func TestNothingIsLeft(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	n := 0
	for range Program(t.Context(), os.Args[0], []string{"__spoiled", "leaves a child"}, modelOptions()) {
		if n++; n == 14 {
			break
		}
	}
	if left, _ := filepath.Glob(filepath.Join(temporary, "mcpcheck*")); len(left) > 0 {
		t.Errorf("directories are left: %v", left)
	}
	out, err := exec.Command("ps", "-A", "-o", "args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	if text := string(out); strings.Contains(text, os.Args[0]+" __spoiled") || strings.Contains(text, "sleep "+leftover(os.Getpid())) {
		t.Errorf("processes are left:\n%s", out)
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	for r := range Program(t.Context(), filepath.Join(t.TempDir(), "missing"), nil, Options{}) {
		switch r.Check {
		case "by-hand", "handshake":
			if r.Status != Fail {
				t.Errorf("%s: %s", r.Check, r.Status)
			}
		case "describe":
			if r.Status == Pass {
				t.Errorf("%s: %s", r.Check, r.Status)
			}
		default:
			if r.Status != Skip {
				t.Errorf("%s: %s", r.Check, r.Status)
			}
		}
	}
}

// serveFault is the program with a fault.
func serveFault(fault string) {
	byHand := os.Getenv(handshake.CookieKey) == ""
	protocol := uint(handshake.ProtocolVersion)
	var provider func() (*tls.Config, error)
	switch {
	case byHand && fault == "serves whoever starts it":
		time.Sleep(200 * time.Millisecond)
		os.Exit(0)
	case byHand && fault == "says nothing by hand":
		os.Exit(1)
	case byHand:
		fmt.Fprintln(os.Stderr, "this is a scanner: the relay starts it")
		os.Exit(1)
	case fault == "never handshakes":
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	case fault == "dies at start":
		fmt.Fprintln(os.Stderr, "the rules are missing")
		os.Exit(3)
	case fault == "prints before":
		fmt.Println("Loading rules...")
	case fault == "other version":
		protocol = 7
	case fault == "listens elsewhere":
		temporary, _ := os.MkdirTemp("", "x")
		_ = os.Setenv("PLUGIN_UNIX_SOCKET_DIR", temporary)
	case fault == "listens on a port too":
		_, _ = net.Listen("tcp", "127.0.0.1:0")
	case fault == "asks for no certificate":
		provider = looseCertificate()
	case fault == "ends when interrupted":
		go endWhenInterrupted()
	}
	if fault != "outlives the relay" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	s := newSpoiled(fault, os.Stderr)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: protocol, MagicCookieKey: handshake.CookieKey, MagicCookieValue: handshake.CookieValue,
		},
		Plugins: plugin.PluginSet{handshake.PluginKey: spoiledPlugin{service: s}},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, s.options()...)...)
		},
		TLSProvider: provider,
		Logger:      hclog.NewNullLogger(),
	})
	if fault == "does not shut down" {
		select {}
	}
	os.Exit(0)
}

type spoiledPlugin struct {
	plugin.NetRPCUnsupportedPlugin

	service *spoiled
}

func (p spoiledPlugin) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	scannerv1.RegisterScannerServiceServer(g, p.service)
	return nil
}

func (spoiledPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("not a client")
}

// endWhenInterrupted undoes what go-plugin does about the signal.
func endWhenInterrupted() {
	for {
		time.Sleep(5 * time.Millisecond)
		signal.Reset(os.Interrupt)
	}
}

// looseCertificate has the server talk to anybody, and the handshake say that it
// has a certificate.
func looseCertificate() func() (*tls.Config, error) {
	self, err := newIdentity()
	if err != nil {
		os.Exit(8)
	}
	r, w, err := os.Pipe()
	if err != nil {
		os.Exit(8)
	}
	out := os.Stdout
	os.Stdout = w
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		fields := strings.Split(strings.TrimSpace(line), "|")
		fields = append(fields[:5], base64.RawStdEncoding.EncodeToString(self.certificate.Certificate[0]))
		fmt.Fprintln(out, strings.Join(fields, "|"))
	}()
	return func() (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{self.certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}, nil
	}
}
