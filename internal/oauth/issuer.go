package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/printable"
)

// issuer is an authorization server (RFC 8414, section 2; OpenID Connect
// Discovery 1.0, section 3), after its metadata was checked.
type issuer struct {
	ID            string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Registration  string   `json:"registration_endpoint"`
	Revocation    string   `json:"revocation_endpoint"`
	Scopes        []string `json:"scopes_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	NamesItself   bool     `json:"authorization_response_iss_parameter_supported"`
	TakesURL      bool     `json:"client_id_metadata_document_supported"`

	authorization, token, registration, revocation *url.URL
}

var (
	errIssuer      = errors.New("the metadata names another issuer than the one that was asked")
	errOtherIssuer = errors.New("the server names another authorization server than oauth.issuer")
	errNoIssuer    = errors.New("the authorization server does not publish its metadata")
	errPKCE        = errors.New("the authorization server does not support PKCE with S256, without which a code can be stolen")
	errNoEndpoint  = errors.New("the metadata names no endpoint for this")
)

// discover finds the resource and its authorization server.
func (c *Client) discover(ctx context.Context, ch challenge) (*resource, *issuer, error) {
	r, err := c.discoverResource(ctx, ch)
	switch {
	case errors.Is(err, errNoResource):
		// Revision 2025-03-26 knew no resource metadata: the server's own origin
		// is the authorization server. Endpoints are not guessed.
		own := c.server.Scheme + "://" + c.server.Host
		if c.issuer != "" {
			own = c.issuer
		}
		r = &resource{ID: c.server.String(), Issuers: []string{own}}
	case err != nil:
		return nil, nil, err
	}
	id, err := c.chooseIssuer(r)
	if err != nil {
		return nil, nil, err
	}
	i, err := c.discoverIssuer(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("authorization server %s: %w", printable.String(id), err)
	}
	return r, i, nil
}

// chooseIssuer takes the configured issuer, which the server must name too, or
// the first that the server names.
func (c *Client) chooseIssuer(r *resource) (string, error) {
	switch {
	case len(r.Issuers) == 0 && c.issuer == "":
		return "", errNoResource
	case len(r.Issuers) == 0:
		return c.issuer, nil
	case c.issuer == "":
		return r.Issuers[0], nil
	}
	for _, id := range r.Issuers {
		if sameIssuer(id, c.issuer) {
			return id, nil
		}
	}
	return "", errOtherIssuer
}

// sameIssuer compares issuers where they are looked up. Whether a slash stands
// at the end is written carelessly and changes no place that is asked. The
// answers of an authorization server are compared byte for byte.
func sameIssuer(a, b string) bool {
	return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// discoverIssuer fetches and checks the metadata of an authorization server.
func (c *Client) discoverIssuer(ctx context.Context, id string) (*issuer, error) {
	base, err := c.wire.guard.parse(id)
	if err != nil {
		return nil, err
	}
	if base.RawQuery != "" {
		return nil, errURL
	}
	for _, at := range issuerPlaces(base) {
		var i issuer
		switch found, err := c.wire.metadata(ctx, at, &i); {
		case err != nil:
			return nil, err
		case !found:
			continue
		}
		if !sameIssuer(i.ID, id) {
			return nil, errIssuer
		}
		return &i, c.checkEndpoints(&i, base)
	}
	return nil, errNoIssuer
}

// issuerPlaces lists where metadata may be, in the order of revision
// 2025-11-25, basic/authorization, "Authorization Server Metadata Discovery".
func issuerPlaces(base *url.URL) []*url.URL {
	oauth, openid := wellKnown(base, "oauth-authorization-server"), wellKnown(base, "openid-configuration")
	places := []*url.URL{oauth[0], openid[0]}
	if len(oauth) > 1 {
		appended := *base
		appended.Path = strings.TrimRight(base.Path, "/") + "/.well-known/openid-configuration"
		places = append(places, &appended)
	}
	return places
}

// checkEndpoints accepts endpoints on the issuer's origin. An issuer that the
// user wrote into the configuration may name others.
func (c *Client) checkEndpoints(i *issuer, base *url.URL) error {
	for _, e := range []struct {
		name string
		raw  string
		into **url.URL
	}{
		{"authorization_endpoint", i.Authorization, &i.authorization},
		{"token_endpoint", i.Token, &i.token},
		{"registration_endpoint", i.Registration, &i.registration},
		{"revocation_endpoint", i.Revocation, &i.revocation},
	} {
		if e.raw == "" {
			continue
		}
		u, err := c.wire.guard.parse(e.raw)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if origin(u) != origin(base) && c.issuer == "" {
			return fmt.Errorf("%s: %w", e.name, errForeign)
		}
		*e.into = u
	}
	if i.token == nil {
		return fmt.Errorf("token_endpoint: %w", errNoEndpoint)
	}
	return nil
}

// checkLogin refuses an authorization server at which nobody can log in safely.
func (i *issuer) checkLogin() error {
	if i.authorization == nil {
		return fmt.Errorf("authorization_endpoint: %w", errNoEndpoint)
	}
	if !slices.Contains(i.Challenges, "S256") {
		return errPKCE
	}
	return nil
}
