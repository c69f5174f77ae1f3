package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// entrance is the HTTP front as a client's configuration has to describe it.
type entrance struct{ config.HTTP }

// usualListen is the address that examples give to --listen.
const usualListen = "127.0.0.1:8000"

var errAnyPort = errors.New("the system chooses the port at every start: name the one that relay run reports with --listen")

// entrance returns where clients connect: what the configuration says, which
// may be nil, or --listen, or else what they usually agree on.
func (o *tokenOptions) entrance(cfg *config.Config) (*entrance, error) {
	if cfg == nil {
		cfg = &config.Config{Relay: config.Relay{HTTP: config.HTTP{Path: "/mcp", Auth: config.AuthToken}}}
	}
	listen := o.listen
	if listen == "" && !cfg.Relay.HTTP.Enabled {
		listen = usualListen
		fmt.Fprintf(o.std.err, "the configuration has no section http: start the relay with relay run --listen %s\n", listen)
	}
	if err := cfg.ApplyListen(listen, ""); err != nil {
		return nil, invalid{err}
	}
	if _, port, err := net.SplitHostPort(cfg.Relay.HTTP.Listen); err == nil && port == "0" {
		return nil, invalid{errAnyPort}
	}
	return &entrance{cfg.Relay.HTTP}, nil
}

// url returns the address of the endpoint as clients know it.
func (e *entrance) url() string {
	_, address := e.Network()
	host, port, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		address = net.JoinHostPort("127.0.0.1", port)
		if len(e.AllowedHosts) > 0 {
			address = e.AllowedHosts[0]
			// Who encrypts in front of the relay has a port of its own.
			if _, _, err := net.SplitHostPort(address); err != nil && !e.Insecure {
				address = net.JoinHostPort(address, port)
			}
		}
	}
	scheme := "http"
	if e.TLS != (config.TLS{}) || e.Insecure && !e.Local() {
		scheme = "https"
	}
	return scheme + "://" + address + e.Path
}

// The block mcpServers of a client.
type (
	snippet struct {
		Servers map[string]remote `json:"mcpServers"`
	}
	remote struct {
		Type    string            `json:"type"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers,omitempty"`
	}
)

// print writes the block for a client with a token, none when it is empty; what
// is said about it goes to talk.
func (e *entrance) print(out, talk io.Writer, token string) error {
	if network, socket := e.Network(); network == "unix" {
		fmt.Fprintf(talk, "clients connect to the unix socket %s and ask for %s\n", printable.String(socket), e.Path)
		if token == "" {
			return nil
		}
		_, err := fmt.Fprintf(out, "Authorization: Bearer %s\n", token)
		return err
	}
	server := remote{Type: "http", URL: e.url()}
	if token != "" {
		server.Headers = map[string]string{"Authorization": "Bearer " + token}
	}
	return printJSON(out, snippet{map[string]remote{"relay": server}})
}
