package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/downstream"
	"github.com/mcp-relay/relay/internal/oauth"
	"github.com/mcp-relay/relay/internal/statefile"
)

var (
	_ downstream.Authorizer = (*oauth.Client)(nil)
	_ downstream.Authorizer = unauthorized{}
)

// authorizer returns what authorizes requests to a server, or nil where nothing
// does: for a program, where the configuration sends an Authorization header or
// says that there is no login, and at an address to which no token may be sent.
// Without oauth in the configuration, a server that asks for a login gets the
// one of relay login. All connections to a server share what is returned.
func (a *assembly) authorizer(c *config.Server) downstream.Authorizer {
	if !authorizable(c) {
		return nil
	}
	client, err := oauthClient(c, a.log)
	switch {
	case err == nil:
		return client
	case c.OAuth == nil: // nobody asked for a login
		a.log.Debug("no login is possible at this server", slog.String("server", c.Name), slog.Any("error", err))
		return nil
	}
	a.log.Error("the server cannot be used with this oauth section", slog.String("server", c.Name), slog.Any("error", err))
	return unauthorized{err}
}

// unauthorized lets no request pass: what the user wrote about logins cannot be
// done, and going without one was not asked for.
type unauthorized struct{ err error }

// Authorization returns why there is none.
func (u unauthorized) Authorization(context.Context) (string, error) { return "", u.err }

// Refused is not called: nothing is sent.
func (unauthorized) Refused(context.Context, int, []string) bool { return false }

func authorizable(c *config.Server) bool {
	_, given := c.Headers["Authorization"]
	return c.Type != config.TypeStdio && !given && (c.OAuth == nil || !c.OAuth.Disabled)
}

// oauthClient returns the OAuth client of a remote server.
func oauthClient(c *config.Server, log *slog.Logger) (*oauth.Client, error) {
	home, err := statefile.Home()
	if err != nil {
		return nil, fmt.Errorf("finding a place for logins: %w", err)
	}
	o := oauth.Options{
		Server: c.Name, URL: c.URL, Headers: c.Headers,
		Dir: filepath.Join(home, "oauth"), Proxy: http.ProxyFromEnvironment, Log: log,
	}
	if s := c.OAuth; s != nil {
		o.ClientID, o.ClientSecret, o.ClientMetadataURL = s.ClientID, s.ClientSecret, s.ClientMetadataURL
		o.Scopes, o.Issuer, o.RedirectPort = s.Scopes, s.Issuer, s.RedirectPort
		o.Grant, o.Storage = oauth.Grant(s.Grant), oauth.Storage(s.TokenStore)
	}
	client, err := oauth.New(o)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	return client, nil
}
