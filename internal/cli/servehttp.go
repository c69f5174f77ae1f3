package cli

import (
	"context"
	"log/slog"
	"net"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/front"
	"github.com/mcp-relay/relay/internal/isolation"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/principal"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/relay"
)

// modes are the values of relay.isolation.
var modes = map[string]isolation.Mode{
	"":                        isolation.PerPrincipal,
	config.IsolationShared:    isolation.Shared,
	config.IsolationPrincipal: isolation.PerPrincipal,
	config.IsolationSession:   isolation.PerSession,
}

// clients is the pool of cores as the front sees it.
type clients struct{ *isolation.Pool }

var _ front.Host = clients{}

// Connect implements front.Host.
func (c clients) Connect(ctx context.Context, hello peer.Hello, sink peer.Sink) (front.Client, error) {
	return c.Pool.Connect(ctx, hello, sink) //nolint:wrapcheck // the front switches on it
}

// serveHTTP serves clients over HTTP until ctx ends.
func (a *assembly) serveHTTP(serving context.Context, cfg *config.Config) error {
	h := &cfg.Relay.HTTP
	tokens, principals, err := a.tokens(cfg)
	if err != nil {
		return err
	}
	pool := a.pool(isolation.Options{
		Mode: modes[cfg.Relay.Isolation], Principals: principals,
		Limits: isolation.Limits{
			Sessions: cfg.Relay.Limits.SessionsPerPrincipal, Streams: cfg.Relay.Limits.StreamsPerPrincipal,
			Children: cfg.Relay.Limits.ChildrenPerPrincipal,
		},
		MaxSessions: h.MaxSessions, MaxStreams: h.MaxStreams,
		Refuse: func(code int, text string) peer.Cleared {
			return a.gate.Author(peer.Error, "", relay.ErrorObject(code, text))
		},
	})
	handler := front.NewHandler(front.HandlerOptions{
		Host: clients{pool}, Log: a.log, MaxMessage: cfg.Relay.MaxMessage, Shape: protocol.Message(),
		Tokens: tokens, Path: h.Path, WithoutSSE: !h.SSE, Hosts: h.AllowedHosts, Origins: h.AllowedOrigins, Idle: h.SessionIdle,
	})
	server, err := front.NewServer(handler, front.ServerOptions{CertFile: h.TLS.Cert, KeyFile: h.TLS.Key})
	if err != nil {
		return invalid{err}
	}
	listener, err := listen(serving, h)
	if err != nil {
		return err
	}
	pool.Start(context.WithoutCancel(serving)) // with an address to be reached at, and not before
	defer pool.Close()
	a.log.Info("serving HTTP clients", slog.String("address", listener.Addr().String()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-serving.Done():
		err = context.Cause(serving)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(serving), shutdownGrace)
	defer cancel()
	if serr := server.Shutdown(grace); serr != nil {
		a.log.Warn("requests were still in flight when the relay ended", slog.Any("error", serr))
	}
	return err
}

// listen opens the address of the front.
func listen(ctx context.Context, h *config.HTTP) (net.Listener, error) {
	network, address := h.Network()
	if network == "unix" {
		return front.ListenUnix(ctx, address) //nolint:wrapcheck // it says what to do
	}
	return front.ListenTCP(ctx, address, !h.Local()) //nolint:wrapcheck // as above
}

// tokens opens the tokens of HTTP clients, and returns whose there are. When
// none is asked for it returns nil: then everybody is one principal.
func (a *assembly) tokens(cfg *config.Config) (front.Verifier, []string, error) {
	if cfg.Relay.HTTP.Auth == config.AuthNone {
		a.log.Warn("everybody who reaches the address of the relay may use it: relay.http.auth is none")
		return nil, []string{principal.Local}, nil
	}
	store, err := openTokens(cfg, a.log)
	if err != nil {
		return nil, nil, err
	}
	path, err := store.Ensure()
	if err != nil {
		return nil, nil, invalid{err}
	}
	if path != "" {
		a.log.Info("clients show the token in this file; relay token show prints what goes into a client's configuration",
			slog.String("path", path))
	}
	principals := store.Principals()
	return store, principals, nil
}

var _ front.Verifier = (*principal.Store)(nil)
