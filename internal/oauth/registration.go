package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
)

// The ways in which a client shows who it is (RFC 7591, section 2).
const (
	authNone  = "none"
	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"
)

// identity is who the relay is at one authorization server. Like those of grant,
// its fields are exported so that fmt asks a secret how to print it.
type identity struct {
	ID     string
	Secret secret
	Method string
}

var (
	errRegistration = errors.New("the authorization server did not register the relay as a client")
	errNoClient     = errors.New("the authorization server registers no clients: " +
		"register one there by hand and set oauth.client_id, or set oauth.client_metadata_url")
	errAuthMethod = errors.New("the authorization server wants the client to show who it is in a way that the relay does not know")
)

// identify finds out who the relay is at an authorization server: a client that
// was registered by hand, a client metadata document, or a new registration
// (revision 2026-07-28, basic/authorization/client-registration). A
// registration is made for one login; the redirect address is in it.
func (c *Client) identify(ctx context.Context, i *issuer, redirect string, scopes []string) (identity, error) {
	switch {
	case c.o.ClientID != "":
		method, err := i.method(c.o.ClientSecret != "")
		return identity{c.o.ClientID, secret(c.o.ClientSecret), method}, err
	case c.o.ClientMetadataURL != "" && i.TakesURL:
		return identity{c.o.ClientMetadataURL, "", authNone}, nil
	case i.registration == nil:
		return identity{}, errNoClient
	}
	return c.register(ctx, i, redirect, scopes)
}

// method chooses how a client shows who it is.
func (i *issuer) method(withSecret bool) (string, error) {
	if !withSecret {
		return authNone, nil
	}
	if len(i.AuthMethods) == 0 {
		return authBasic, nil // RFC 8414, section 2
	}
	for _, m := range []string{authBasic, authPost} {
		if slices.Contains(i.AuthMethods, m) {
			return m, nil
		}
	}
	return "", errAuthMethod
}

// application is what is registered (RFC 7591, section 2).
type application struct {
	Name          string   `json:"client_name"`
	Kind          string   `json:"application_type"`
	Redirects     []string `json:"redirect_uris"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	Scope         string   `json:"scope,omitempty"`
}

// registered is the answer (RFC 7591, section 3.2.1).
type registered struct {
	ID         string `json:"client_id"`
	Secret     string `json:"client_secret"`
	AuthMethod string `json:"token_endpoint_auth_method"`
}

// maxCredential bounds identifiers, secrets and tokens, in bytes.
const maxCredential = 32 << 10

func (c *Client) register(ctx context.Context, i *issuer, redirect string, scopes []string) (identity, error) {
	wanted := authNone
	if len(i.AuthMethods) > 0 && !slices.Contains(i.AuthMethods, authNone) {
		m, err := i.method(true)
		if err != nil {
			return identity{}, err
		}
		wanted = m
	}
	body, err := json.Marshal(application{
		Name: "mcp-relay", Kind: "native", Redirects: []string{redirect},
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		AuthMethod: wanted, Scope: joined(scopes),
	})
	if err != nil {
		return identity{}, fmt.Errorf("writing the registration: %w", err)
	}
	a, err := c.wire.post(ctx, i.registration, body, http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"},
	})
	if err != nil {
		return identity{}, fmt.Errorf("registering: %w", err)
	}
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		return identity{}, fmt.Errorf("%w: %w", errRegistration, faultOf(a))
	}
	var r registered
	if err := json.Unmarshal(a.body, &r); err != nil || !isCredential(r.ID) || r.Secret != "" && !isCredential(r.Secret) {
		return identity{}, fmt.Errorf("%w: %w", errRegistration, errMetadata)
	}
	switch {
	case r.AuthMethod != "":
		wanted = r.AuthMethod
	case wanted == authNone && r.Secret != "" && len(i.AuthMethods) == 0:
		wanted = authBasic
	}
	switch wanted {
	case authNone:
		r.Secret = ""
	case authBasic, authPost:
		if r.Secret == "" {
			return identity{}, fmt.Errorf("%w: %w", errRegistration, errMetadata)
		}
	default:
		return identity{}, errAuthMethod
	}
	return identity{r.ID, secret(r.Secret), wanted}, nil
}

// isCredential reports whether s can be an identifier, a secret or a token: it
// is sent in headers and forms.
func isCredential(s string) bool {
	if s == "" || len(s) > maxCredential {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
