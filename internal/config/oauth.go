package config

import (
	"net/url"
	"strings"
)

// The values of [OAuth.Grant] and [OAuth.TokenStore].
const (
	GrantCode        = "authorization_code"
	GrantCredentials = "client_credentials"
	StoreAuto        = "auto"
	StoreKeychain    = "keychain"
	StoreFile        = "file"
)

// OAuth says how the relay proves to a server's authorization server who it
// is. ClientSecret is a secret: do not print it.
type OAuth struct {
	Disabled          bool // written oauth: false; no token is asked for
	ClientID          string
	ClientSecret      string
	ClientMetadataURL string   // https; the client id of a relay that publishes its metadata
	Scopes            []string // nil: those the server asks for
	Issuer            string   // the only authorization server to be used; empty: the one the server names
	Grant             string   // GrantCode or GrantCredentials
	TokenStore        string   // StoreAuto, StoreKeychain or StoreFile
	RedirectPort      int      // of the login's loopback redirect; 0: a free one
}

func oauthFields() []field[OAuth] {
	return []field[OAuth]{
		{
			name: "client_id", aliases: []string{"clientId"}, omitted: "registered at login",
			value: text(func(o *OAuth) *string { return &o.ClientID }),
			doc:   "Id of the relay at the authorization server.",
		},
		{
			name: "client_secret", aliases: []string{"clientSecret"}, value: text(func(o *OAuth) *string { return &o.ClientSecret }),
			doc: "Its secret, where there is one; put it in as ${NAME}. It needs issuer.",
		},
		{
			name: "client_metadata_url", aliases: []string{"clientMetadataUrl"},
			value: text(func(o *OAuth) *string { return &o.ClientMetadataURL }),
			doc:   "https address of a client metadata document, which is then the client id.",
		},
		{
			name: "scopes", aliases: []string{"scope"}, omitted: "what the server asks for", value: scopes(),
			doc: "What to ask for: a list, or one string with spaces.",
		},
		{
			name: "issuer", omitted: "the one that the server names", value: text(func(o *OAuth) *string { return &o.Issuer }),
			doc: "The only authorization server that may be used, and that gets the client_secret.",
		},
		{
			name: "grant", def: GrantCode, value: choice(func(o *OAuth) *string { return &o.Grant }, GrantCode, GrantCredentials),
			doc: "authorization_code: a person logs in once with relay login SERVER; client_credentials: the relay logs in by itself.",
		},
		{
			name: "token_store", def: StoreAuto,
			value: choice(func(o *OAuth) *string { return &o.TokenStore }, StoreAuto, StoreKeychain, StoreFile),
			doc:   "Where tokens are kept: the keychain of the system, a file that only you can read, or (auto) the first that works.",
		},
		{
			name: "redirect_port", aliases: []string{"redirectPort", "callbackPort"}, omitted: "a free one",
			value: integer(1, 65535, func(o *OAuth) *int { return &o.RedirectPort }),
			doc:   "Port on 127.0.0.1 that the browser comes back to, where the authorization server wants a fixed one.",
		},
	}
}

// oauth reads the key oauth of a server: an object, or true or false. Clients
// write keys of their own into it, which are no errors.
func oauth() value[entry] {
	fields := oauthFields()
	return value[entry]{
		label:  "object, or true or false",
		schema: map[string]any{"anyOf": []any{looseSchema(fields), map[string]any{"type": "boolean"}}},
		nested: references(fields),
		read: func(r *reader, n *node, dst *entry) {
			dst.oauth = n
			if n.broken {
				return
			}
			o := &OAuth{}
			setDefaults(r, o, fields)
			if n.kind == boolKind {
				o.Disabled = strings.EqualFold(n.text, "false")
			} else {
				readLoose(r, n, o, fields)
				o.Disabled = isFalse(n.get("enabled"))
			}
			dst.OAuth = o
		},
	}
}

func isFalse(n *node) bool {
	return n != nil && n.kind == boolKind && strings.EqualFold(n.text, "false")
}

// scopes reads a list of strings, or one string with spaces.
func scopes() value[OAuth] {
	return value[OAuth]{
		label: "list of strings, or string",
		schema: map[string]any{"anyOf": []any{
			map[string]any{"type": "array", "items": map[string]any{"type": "string"}}, map[string]any{"type": "string"},
		}},
		read: func(r *reader, n *node, dst *OAuth) {
			list := strings.Fields(n.text)
			if n.kind != stringKind {
				var ok bool
				if list, ok = r.strings(n); !ok {
					return
				}
			}
			for _, s := range list {
				// RFC 6749, section 3.3
				if s == "" || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
					r.notes.problem(n, "", "this cannot be a scope")
					return
				}
			}
			dst.Scopes = list
		},
	}
}

// finishOAuth checks what one key alone does not show.
func (l *loader) finishOAuth(e *entry) {
	o, at := e.OAuth, e.oauth
	if o == nil || o.Disabled {
		return
	}
	if e.Type == TypeStdio {
		l.notes.warn(at, "", "oauth means nothing for a program")
		e.OAuth = nil
		return
	}
	if _, ok := e.Headers["Authorization"]; ok {
		l.notes.warn(at, "remove one of the two", "the header Authorization is sent; oauth is not used")
		o.Disabled = true
		return
	}
	if !e.UsesOAuth() && strings.HasPrefix(e.URL, "http://") {
		l.notes.problem(at, "use https", "tokens would travel in the clear")
	}
	l.checkIdentity(o, at)
	if o.Issuer != "" && secureURL(o.Issuer, true) == nil {
		l.notes.problem(at.get("issuer"), "write it as https://host", "this must be an https address")
	}
}

// checkIdentity checks what the relay is to an authorization server.
func (l *loader) checkIdentity(o *OAuth, at *node) {
	switch {
	case o.Grant == GrantCredentials && (o.ClientID == "" || o.ClientSecret == "" || o.Issuer == ""):
		l.notes.problem(at, "add client_id, client_secret and issuer", "the grant client_credentials needs all three")
	case o.ClientSecret != "" && o.ClientID == "":
		l.notes.problem(at, "add client_id", "a client_secret belongs to a client_id")
	case o.ClientSecret != "" && o.Issuer == "":
		// A server that could name any authorization server would be given it.
		l.notes.problem(at, "add issuer, the authorization server that knows it", "a client_secret is given to one issuer only")
	}
	if o.ClientID != "" && o.ClientMetadataURL != "" {
		l.notes.problem(at, "keep one of the two", "client_metadata_url is itself the client id")
	}
	if u := secureURL(o.ClientMetadataURL, false); o.ClientMetadataURL != "" && (u == nil || len(u.Path) < 2) {
		l.notes.problem(nearestNode(at.get("client_metadata_url"), at.get("clientMetadataUrl")),
			"write it as https://host/path", "this must be an https address with a path")
	}
}

// UsesOAuth reports whether the relay may log in to the server: it has a url
// that nobody listens to on the way, brings no Authorization of its own and is
// not told oauth: false.
func (s *Server) UsesOAuth() bool {
	if _, own := s.Headers["Authorization"]; own || s.OAuth != nil && s.OAuth.Disabled {
		return false
	}
	u, err := url.Parse(s.URL)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
}

// secureURL returns an https address without user, query and fragment, or nil.
// On this machine plain http is as good where local says so.
func secureURL(s string, local bool) *url.URL {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil
	}
	if u.Scheme == "https" || local && u.Scheme == "http" && loopback(u.Hostname()) {
		return u
	}
	return nil
}
