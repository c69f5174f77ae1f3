package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/mcp-relay/relay/internal/printable"
)

// resource is what a server says of itself (RFC 9728, section 2).
type resource struct {
	ID      string   `json:"resource"`
	Issuers []string `json:"authorization_servers"`
	Scopes  []string `json:"scopes_supported"`
}

var (
	errResource   = errors.New("the server's metadata is for another resource than the server's address")
	errNoResource = errors.New("the server does not say who gives tokens for it")
	errMetadata   = errors.New("the metadata is not a JSON object as it should be")
	errNoAnswer   = errors.New("the metadata cannot be fetched")
)

// discoverResource asks the server who gives tokens for it: where the challenge
// says, else at the well-known places (RFC 9728, section 3.1). It returns
// errNoResource when there is nothing.
func (c *Client) discoverResource(ctx context.Context, ch challenge) (*resource, error) {
	for _, at := range c.resourcePlaces(ch) {
		var r resource
		switch found, err := c.wire.metadata(ctx, at, &r); {
		case err != nil:
			return nil, fmt.Errorf("asking %s what it needs: %w", printable.String(c.server.Host), err)
		case !found:
			continue
		}
		if !c.covers(r.ID) {
			return nil, errResource
		}
		r.Scopes = union(nil, r.Scopes...)
		return &r, nil
	}
	return nil, errNoResource
}

// resourcePlaces lists where the metadata may be. A place on another origin
// than the server's is not asked.
func (c *Client) resourcePlaces(ch challenge) []*url.URL {
	if ch.metadata != "" {
		if u, err := c.wire.guard.parse(ch.metadata); err == nil && origin(u) == origin(c.server) {
			return []*url.URL{u}
		}
	}
	return wellKnown(c.server, "oauth-protected-resource")
}

// wellKnown returns the well-known addresses of a name: with the path of the
// base inserted behind it, and without.
func wellKnown(base *url.URL, name string) []*url.URL {
	root := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: "/.well-known/" + name}
	path := strings.TrimRight(base.Path, "/")
	if path == "" {
		return []*url.URL{root}
	}
	with := *root
	with.Path += path
	return []*url.URL{&with, root}
}

// covers reports whether a resource identifier means the configured server: it
// is its address, or a path above it on the same origin.
func (c *Client) covers(id string) bool {
	if len(id) > maxURL {
		return false
	}
	u, err := url.Parse(id)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Contains(id, "#") || origin(u) != origin(c.server) {
		return false
	}
	if u.RawQuery != "" && u.RawQuery != c.server.RawQuery {
		return false
	}
	above, path := strings.TrimRight(u.EscapedPath(), "/"), strings.TrimRight(c.server.EscapedPath(), "/")
	if slices.Contains(strings.Split(above, "/"), "..") {
		return false
	}
	return path == above || strings.HasPrefix(path, above+"/")
}

// metadata fetches a JSON object. Not found is what is not there, not JSON or
// somewhere else: sites answer unknown paths in many ways.
func (w *wire) metadata(ctx context.Context, at *url.URL, into any) (found bool, err error) {
	a, err := w.get(ctx, at)
	switch {
	case err != nil:
		return false, err
	case a.status >= http.StatusInternalServerError:
		return false, fmt.Errorf("%w: status %d", errNoAnswer, a.status)
	case a.status != http.StatusOK || !a.isJSON():
		return false, nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return false, errMetadata
	}
	return true, nil
}
