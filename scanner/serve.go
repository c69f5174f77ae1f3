package scanner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// Option changes how Serve serves.
type Option func(*settings)

type settings struct{ level slog.Leveler }

// LogLevel sets the weakest level that is logged. Default: slog.LevelInfo.
func LogLevel(level slog.Leveler) Option {
	return func(s *settings) { s.level = level }
}

// Serve serves s to the relay until the relay ends it. It is the only call in a
// scanner's main, and nothing may be printed to standard output before it.
//
// Serve makes the default logger of log/slog, and with it package log, write to
// the relay's log. It ends the process when the relay is gone, which it notices
// by the end of standard input.
//
// Started by hand, the program explains itself and exits with status 1. With the
// single argument "describe" it prints what it is as JSON and exits.
func Serve(s Scanner, opts ...Option) {
	set := settings{level: slog.LevelInfo}
	for _, opt := range opts {
		opt(&set)
	}
	// go-plugin replaces os.Stderr. Logs keep the real one, so that the relay
	// also reads what is written before a connection exists.
	stderr := os.Stderr
	log := newLogger(stderr, set.level)
	slog.SetDefault(log)

	srv, err := newServer(s, log)
	if err != nil {
		fatal(stderr, err)
	}
	if len(os.Args) == 2 && os.Args[1] == "describe" {
		if err := describe(os.Stdout, s, srv.info); err != nil { //nolint:forbidigo // a program's output
			fatal(stderr, err)
		}
		os.Exit(0)
	}
	if os.Getenv(handshake.CookieKey) != handshake.CookieValue {
		fatal(stderr, startedByHand(srv.info))
	}
	go exitWithRelay(srv, os.Stdin) //nolint:forbidigo // the lifeline

	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  handshake.ProtocolVersion,
			MagicCookieKey:   handshake.CookieKey,
			MagicCookieValue: handshake.CookieValue,
		},
		Plugins: plugin.PluginSet{handshake.PluginKey: pluginServer{server: srv}},
		GRPCServer: func(more []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(srv.options(redirectStray(stderr)), more...)...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: stderr, JSONFormat: true}),
	})
}

// pluginServer registers the service with go-plugin.
type pluginServer struct {
	plugin.NetRPCUnsupportedPlugin

	server *server
}

var _ plugin.GRPCPlugin = pluginServer{}

// GRPCServer registers the scanner's service.
func (p pluginServer) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	p.server.register(g)
	return nil
}

// GRPCClient is the relay's side, which this package does not have.
func (pluginServer) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("package scanner serves scanners and does not call them")
}

// redirectStray sends what the scanner prints to the real standard error, where
// the relay logs it. go-plugin has replaced both files with pipes that only some
// hosts read. The first call is the first moment after that; the handshake line,
// which is the only thing that may stand on standard output, is out by then.
func redirectStray(stderr *os.File) grpc.UnaryServerInterceptor {
	var once sync.Once
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		once.Do(func() { os.Stdout, os.Stderr = stderr, stderr }) //nolint:forbidigo // taken away from foreign code
		return next(ctx, req)
	}
}

func startedByHand(info Info) error {
	return fmt.Errorf("%[1]s is a scanner: the relay starts it.\n"+
		"Name this program in the relay's configuration:\n\n"+
		"  relay:\n    scanners:\n      - name: %[1]s\n        plugin: %[2]s\n\n"+
		"`%[3]s describe` prints what it is", info.Name, executable(), os.Args[0])
}

func executable() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return os.Args[0]
}

func fatal(stderr *os.File, err error) {
	_, _ = fmt.Fprintln(stderr, err)
	os.Exit(1)
}
