package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
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
		s := relay.Server{
			Name: c.Name, Hidden: c.Hidden, Twin: twin(c), Revision: revision(c), CallTimeout: c.Timeout,
			Speech: speeches[c.Protocol], MayAsk: mayAsk(&c.Requests), Headers: c.Type == config.TypeHTTP,
		}
		if s.Overlap = slices.Contains(cfg.Relay.Overlap, c.Name); s.Overlap {
			s.Revision += " overlap"
		}
		a.dial(&s, cfg, c)
		servers = append(servers, s)
	}
	return servers
}

// speeches are the values of a server's protocol.
var speeches = map[string]relay.Speech{
	config.ProtocolAuto: relay.Auto, config.ProtocolLegacy: relay.OnlyLegacy, config.ProtocolModern: relay.OnlyModern,
}

// mayAsk returns what a server may ask of clients.
func mayAsk(r *config.Requests) protocol.CapabilitySet {
	var list []protocol.Capability
	for _, q := range []struct {
		allowed bool
		what    []protocol.Capability
	}{
		{r.Sampling, []protocol.Capability{protocol.Sampling, protocol.SamplingTools}},
		{r.Sampling && r.Context, []protocol.Capability{protocol.SamplingContext}},
		{r.Elicitation, []protocol.Capability{protocol.ElicitForm}},
		{r.ElicitationURL, []protocol.Capability{protocol.ElicitURL}},
		{r.Roots, []protocol.Capability{protocol.Roots}},
	} {
		if q.allowed {
			list = append(list, q.what...)
		}
	}
	return protocol.Capabilities(list...)
}

// dial sets how to connect to a server.
func (a *assembly) dial(s *relay.Server, cfg *config.Config, c *config.Server) {
	authorizer := a.authorizer(c)
	sse := downstream.SSE{
		Name: c.Name, URL: c.URL, Headers: c.Headers, Authorizer: authorizer, MaxMessage: cfg.Relay.MaxMessage,
		Proxy: http.ProxyFromEnvironment, Log: a.log, Shape: protocol.Message(),
	}
	switch c.Type {
	case config.TypeSSE:
		s.Speech = relay.OnlyLegacy
		s.Dialer = dialer(sse.Dial)
	case config.TypeHTTP:
		d := downstream.HTTP{
			Name: c.Name, URL: c.URL, Headers: c.Headers, Authorizer: authorizer,
			MaxMessage: cfg.Relay.MaxMessage, FallbackSSE: c.Protocol == config.ProtocolAuto,
			Proxy: http.ProxyFromEnvironment, Log: a.log, Shape: protocol.Message(),
		}
		s.Dialer = dialer(d.Dial)
		if c.Protocol == config.ProtocolAuto {
			s.Old = dialer(sse.Dial)
		}
	default:
		given := secretsOf(c.Env)
		d := downstream.Stdio{
			Name: c.Name, Command: c.Command, Args: c.Args, Dir: c.Dir, MaxMessage: cfg.Relay.MaxMessage,
			Env:    process.Environment(process.DefaultAllow(), c.Env, c.InheritEnv),
			Warden: a.warden, Log: slog.New(discreetLog{a.log.Handler(), given}), Shape: protocol.Message(),
			Around: confineServer(cfg, c),
		}
		s.Dialer = relay.DialFunc(func(ctx context.Context, h peer.Handler) (relay.Connection, error) {
			i, err := d.Dial(ctx, h)
			if err != nil {
				return nil, err
			}
			return discreet{i, given}, nil
		})
	}
}

// dialer makes a transport's Dial the relay's.
func dialer(dial func(ctx context.Context, h peer.Handler) (downstream.Instance, error)) relay.Dialer {
	return relay.DialFunc(func(ctx context.Context, h peer.Handler) (relay.Connection, error) { return dial(ctx, h) })
}

// revision returns a key that changes with everything about a server but how
// long calls may take, for which it is not started anew.
func revision(c *config.Server) string {
	same := *c
	same.Timeout, same.OAuth = 0, nil
	text := fmt.Sprintf("%#v", same) // maps print in key order
	if c.OAuth != nil {
		text += fmt.Sprintf(" %#v", *c.OAuth)
	}
	sum := sha256.Sum256([]byte(text)) // the environment may hold secrets
	return string(sum[:])
}

// twin returns a key that servers share whose configuration is the same but
// for the name.
func twin(c *config.Server) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q %q", c.Type, c.Command, c.Args, c.Dir, c.URL)
	for _, m := range []map[string]string{c.Env, c.Headers} {
		fmt.Fprintf(&b, " %q", fmt.Sprint(m)) // maps print in key order
	}
	fmt.Fprintf(&b, " %t %t %t %q %+v", c.Hidden, c.InheritEnv, c.Sandbox, c.Protocol, c.Requests)
	sum := sha256.Sum256([]byte(b.String())) // the environment may hold secrets
	return string(sum[:])
}
