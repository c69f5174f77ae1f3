package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/downstream"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/relay"
)

// servers returns the configured servers that are to be started.
func (a *assembly) servers(cfg *config.Config) []relay.Server {
	servers := make([]relay.Server, 0, len(cfg.Servers))
	for i := range cfg.Servers {
		c := &cfg.Servers[i]
		if c.Disabled {
			continue
		}
		if len(servers) >= cfg.Relay.MaxServers {
			a.log.Warn("not started: above relay.max_servers", slog.String("server", c.Name))
			continue
		}
		servers = append(servers, relay.Server{
			Name: c.Name, Hidden: c.Hidden, Twin: twin(c), CallTimeout: c.Timeout, Dialer: a.dialer(cfg, c),
		})
	}
	return servers
}

// dialer returns how to connect to a server.
func (a *assembly) dialer(cfg *config.Config, c *config.Server) relay.Dialer {
	switch c.Type {
	case config.TypeSSE:
		return relay.DialFunc(func(context.Context, peer.Handler) (relay.Connection, error) { return nil, errOldTransport })
	case config.TypeHTTP:
		d := downstream.HTTP{
			Proxy: http.ProxyFromEnvironment,
			Name:  c.Name, URL: c.URL, Headers: c.Headers, MaxMessage: cfg.Relay.MaxMessage, Log: a.log, Shape: protocol.Message(),
		}
		return relay.DialFunc(func(ctx context.Context, h peer.Handler) (relay.Connection, error) { return d.Dial(ctx, h) })
	}
	d := downstream.Stdio{
		Name: c.Name, Command: c.Command, Args: c.Args, Dir: c.Dir, MaxMessage: cfg.Relay.MaxMessage,
		Env:    process.Environment(process.DefaultAllow(), c.Env, c.InheritEnv),
		Warden: a.warden, Log: a.log, Shape: protocol.Message(),
	}
	return relay.DialFunc(func(ctx context.Context, h peer.Handler) (relay.Connection, error) {
		i, err := d.Dial(ctx, h)
		if err != nil {
			return nil, err
		}
		return discreet{i, slices.Collect(maps.Values(c.Env))}, nil
	})
}

// discreet is a connection whose server may write its secrets to its standard
// error: the relay does not repeat what it gave to the server.
type discreet struct {
	downstream.Instance

	secrets []string
}

// shortSecret is the length below which a value is no secret, but a word that
// may stand anywhere.
const shortSecret = 6

// Stderr returns the end of what the server wrote, without the values of its
// configured environment.
func (d discreet) Stderr() string {
	t, ok := d.Instance.(interface{ Stderr() string })
	if !ok {
		return ""
	}
	text := t.Stderr()
	for _, secret := range d.secrets {
		if len(secret) >= shortSecret {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return text
}

var errOldTransport = errors.New("the old HTTP+SSE transport is not available: use the server's Streamable HTTP address and type http")

// twin returns a key that servers share whose configuration is the same but
// for the name.
func twin(c *config.Server) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q %q", c.Type, c.Command, c.Args, c.Dir, c.URL)
	for _, m := range []map[string]string{c.Env, c.Headers} {
		fmt.Fprintf(&b, " %q", fmt.Sprint(m)) // maps print in key order
	}
	fmt.Fprintf(&b, " %t %t", c.Hidden, c.InheritEnv)
	sum := sha256.Sum256([]byte(b.String())) // the environment may hold secrets
	return string(sum[:])
}
