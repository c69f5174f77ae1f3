package oauth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Grant is how a token is obtained.
type Grant string

// The grants. The zero value is AuthorizationCode.
const (
	AuthorizationCode Grant = "authorization_code" // a person logs in
	ClientCredentials Grant = "client_credentials" // the client's secret is enough
)

// Storage is where tokens are kept.
type Storage string

// The storages. The zero value is Auto.
const (
	Auto     Storage = "auto"     // the keychain where there is one, else a file
	Keychain Storage = "keychain" // nothing but the keychain
	File     Storage = "file"     // a file of mode 0600
)

// Options say which server a [Client] stands for.
type Options struct {
	Server  string            // the server's name in the configuration
	URL     string            // its address
	Headers map[string]string // sent to URL's origin when it is asked what it wants

	ClientID          string // of a client that was registered by hand
	ClientSecret      string // given to Issuer only, which must then be set
	ClientMetadataURL string // an https address that serves as client id where servers support it
	Scopes            []string
	Issuer            string // the only authorization server that is used; empty: the one that the server names
	Grant             Grant
	Storage           Storage
	RedirectPort      int // of the loopback callback; 0: a random one

	Dir   string // absolute; where tokens are kept, made with mode 0700
	Proxy func(*http.Request) (*url.URL, error)
	Log   *slog.Logger
}

// Client authorizes requests to one server. It is safe for concurrent use.
type Client struct {
	o      Options
	server *url.URL
	issuer string // as configured
	wire   *wire
	store  *store
	log    *slog.Logger

	turn chan struct{} // held by whoever loads, renews or obtains a token

	mu          sync.Mutex
	token       *record   // nil: none is known
	stamp       stamp     // of the file that token was read from
	looked      time.Time // when the file was last looked at
	renewed     time.Time // when token was last exchanged for another
	refusals    int       // of the token since then
	refused     bool      // the token replaced one that was refused
	failure     failure   // of the last renewal
	broken      error     // why the file could not be read
	brokenAt    time.Time
	brokenStamp stamp
	said        map[string]time.Time
}

// New checks the options. It reads and sends nothing.
func New(o Options) (*Client, error) {
	if o.Grant == "" {
		o.Grant = AuthorizationCode
	}
	if o.Storage == "" {
		o.Storage = Auto
	}
	if err := check(&o); err != nil {
		return nil, fmt.Errorf("server %q: %w", o.Server, err)
	}
	server, err := parseServer(o.URL)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", o.Server, err)
	}
	g := newGuard(server.Hostname())
	if o.Issuer != "" {
		if u, err := url.Parse(o.Issuer); err == nil {
			g.trust(u.Hostname())
		}
		if _, err := g.parse(o.Issuer); err != nil {
			return nil, fmt.Errorf("server %q: oauth.issuer: %w", o.Server, err)
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		o: o, server: server, issuer: o.Issuer, log: o.Log.With(slog.String("server", o.Server)),
		wire:  newWire(g, o.Proxy),
		store: newStore(o.Dir, o.Server, o.URL, o.Storage),
		turn:  make(chan struct{}, 1),
	}
	return c, nil
}

var (
	errSecretOfWhom = errors.New("oauth.client_secret needs oauth.issuer: the secret is given to that authorization server only")
	errGrant        = errors.New("oauth.grant must be authorization_code or client_credentials")
	errStorage      = errors.New("oauth.token_store must be auto, keychain or file")
	errPort         = errors.New("oauth.redirect_port must be a port, or 0 for a random one")
	errMetadataURL  = errors.New("oauth.client_metadata_url must be an https address with a path")
	errNoSecret     = errors.New("oauth.grant client_credentials needs oauth.client_id, oauth.client_secret and oauth.issuer")
	errScopeText    = errors.New("oauth.scopes holds what cannot be a scope")
	errTwoTokens    = errors.New("the server has an Authorization header already: remove it, or remove oauth")
)

func check(o *Options) error {
	if o.ClientSecret != "" && o.Issuer == "" {
		return errSecretOfWhom
	}
	switch o.Grant {
	case AuthorizationCode:
	case ClientCredentials:
		if o.ClientID == "" || o.ClientSecret == "" {
			return errNoSecret
		}
	default:
		return errGrant
	}
	if o.Storage != Auto && o.Storage != Keychain && o.Storage != File {
		return errStorage
	}
	if o.RedirectPort < 0 || o.RedirectPort > 65535 {
		return errPort
	}
	if !isClientURL(o.ClientMetadataURL) {
		return errMetadataURL
	}
	if slices.ContainsFunc(o.Scopes, func(s string) bool { return !isScope(s) }) {
		return errScopeText
	}
	for name := range o.Headers {
		if strings.EqualFold(name, "Authorization") {
			return errTwoTokens
		}
	}
	return nil
}

// isClientURL reports whether a client id can be this address, or there is none
// (draft-ietf-oauth-client-id-metadata-document-00, section 3).
func isClientURL(raw string) bool {
	if raw == "" {
		return true
	}
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && len(u.Path) > 1 && u.User == nil && u.Fragment == ""
}
