package plugin

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// window is how much of an answer may be on its way, in bytes.
const window = 1 << 20

// launch starts the child through go-plugin and connects to it. go-plugin
// negotiates and takes the child's certificate; the connection is our own,
// because its client also opens a broker by which a scanner could call the relay.
func launch(c *child, timeout time.Duration) (*grpc.ClientConn, error) {
	self, err := newIdentity()
	if err != nil {
		return nil, err
	}
	c.certificate = self.pem
	config := &goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  handshake.ProtocolVersion,
			MagicCookieKey:   handshake.CookieKey,
			MagicCookieValue: handshake.CookieValue,
		},
		Plugins:          goplugin.PluginSet{},
		RunnerFunc:       c.adopt,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		TLSConfig:        self.config, // go-plugin adds the child's certificate to it
		SkipHostEnv:      true,
		StartTimeout:     timeout,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: c.dir.path},
		Logger:           hclog.NewNullLogger(),
	}
	addr, err := goplugin.NewClient(config).Start()
	if err != nil {
		return nil, err
	}
	if self.config.RootCAs == nil {
		c.proc.Kill()
		return nil, &HandshakeError{Reason: "it has no certificate: the scanner must answer mutual TLS"}
	}
	conn, err := connect(c, addr, self.config)
	if err != nil {
		c.proc.Kill()
		return nil, err
	}
	return conn, nil
}

// connect prepares the connection; the first call dials.
func connect(c *child, addr net.Addr, security *tls.Config) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///scanner",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			socket, err := c.dial(ctx, addr)
			if err != nil {
				c.refused.Store(&err) // gRPC keeps only the text
			}
			return socket, err
		}),
		grpc.WithTransportCredentials(credentials.NewTLS(security)),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(handshake.MaxMessage)),
		// A connection that sleeps would have to find its socket again.
		grpc.WithIdleTimeout(0),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: startTimeout,
		}),
		// Fixed windows spare the ping by which gRPC measures each connection: a
		// fifth of the processor time of a small scan.
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
	)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// dial connects to the address of the handshake, which was checked, and checks
// again what could have changed since: the kind of file, and who listens.
func (c *child) dial(ctx context.Context, addr net.Addr) (net.Conn, error) {
	var d net.Dialer
	if addr.Network() != "unix" {
		return d.DialContext(ctx, addr.Network(), addr.String())
	}
	if err := checkSocket(greeting{network: "unix", address: addr.String()}, c.dir.path); err != nil {
		return nil, err
	}
	conn, err := d.DialContext(ctx, "unix", addr.String())
	if err != nil {
		return nil, err
	}
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, &AddressError{Reason: "it is not a unix socket"}
	}
	if err := c.proc.CheckPeer(socket); err != nil {
		conn.Close()
		return nil, &AddressError{Reason: err.Error()}
	}
	return conn, nil
}
