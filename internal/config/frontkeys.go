package config

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// httpFields are the keys of relay.http.
func httpFields() []field[HTTP] {
	return []field[HTTP]{
		{
			name: "listen", omitted: "127.0.0.1:8000", value: text(func(h *HTTP) *string { return &h.Listen }),
			doc: "Where clients connect: an address and a port, or unix: and the path of a socket, which is relative to this " +
				"file. Port 0 takes a free one. Anything but loopback needs auth token, and tls or insecure.",
		},
		{
			name: "path", def: "/mcp", value: text(func(h *HTTP) *string { return &h.Path }),
			doc: "Path of the Streamable HTTP endpoint.",
		},
		{
			name: "auth", def: AuthToken, value: choice(func(h *HTTP) *string { return &h.Auth }, AuthToken, AuthNone),
			doc: "token: clients send Authorization: Bearer and a token; none: nobody is asked, on loopback and unix sockets only.",
		},
		{
			name: "tokens", value: givenTokens(),
			doc: "Tokens by name, in as ${NAME}, at least 16 characters each; they count beside those of relay token. The name is " +
				"the principal.",
		},
		{
			name: "allowed_hosts", value: texts(func(h *HTTP) *[]string { return &h.AllowedHosts }),
			doc: "Names, with or without a port, under which clients may call the relay, beside loopback names and the address in listen.",
		},
		{
			name: "allowed_origins", value: texts(func(h *HTTP) *[]string { return &h.AllowedOrigins }),
			doc: "Web pages that may call the relay, as https://app.example.com. Without it no page may.",
		},
		{name: "tls", value: object(tlsFields(), func(h *HTTP) *TLS { return &h.TLS }), doc: "The certificate of the front; without it plain HTTP."},
		{
			name: "insecure", def: "false", value: boolean(func(h *HTTP) *bool { return &h.Insecure }),
			doc: "Listen beyond loopback without tls, because something in front of the relay encrypts.",
		},
		{
			name: "max_sessions", def: "1000", value: integer(1, 100_000, func(h *HTTP) *int { return &h.MaxSessions }),
			doc: "Most sessions of all clients together.",
		},
		{
			name: "max_streams", def: "4000", value: integer(1, 100_000, func(h *HTTP) *int { return &h.MaxStreams }),
			doc: "Most responses in progress of all clients together.",
		},
		{
			name: "max_parked", def: "1000", value: integer(1, 100_000, func(h *HTTP) *int { return &h.MaxParked }),
			doc: "Most calls of all clients together that wait for an answer of their client.",
		},
		{
			name: "session_idle", def: "30m", value: duration(time.Minute, 7*24*time.Hour, func(h *HTTP) *time.Duration { return &h.SessionIdle }),
			doc: "A session without a request and without a stream for as long is ended.",
		},
		{
			name: "sse", def: "true", value: boolean(func(h *HTTP) *bool { return &h.SSE }),
			doc: "Serve the old HTTP+SSE transport too, at /sse and /messages, for clients that know nothing else.",
		},
	}
}

func tlsFields() []field[TLS] {
	return []field[TLS]{
		{
			name: "cert", required: true, value: text(func(t *TLS) *string { return &t.Cert }),
			doc: "File of the certificate and those between it and the root, in PEM form; a relative path starts at this file.",
		},
		{
			name: "key", required: true, value: text(func(t *TLS) *string { return &t.Key }),
			doc: "File of its private key, in PEM form; a relative path starts at this file.",
		},
	}
}

// limitFields are the keys of relay.limits.
func limitFields() []field[Limits] {
	const most = 100_000
	return []field[Limits]{
		{
			name: "sessions_per_principal", def: "200", value: integer(1, most, func(l *Limits) *int { return &l.SessionsPerPrincipal }),
			doc: "Most sessions of one principal.",
		},
		{
			name: "streams_per_principal", def: "1000", value: integer(1, most, func(l *Limits) *int { return &l.StreamsPerPrincipal }),
			doc: "Most responses in progress of one principal.",
		},
		{
			name: "parked_per_principal", def: "100", value: integer(1, most, func(l *Limits) *int { return &l.ParkedPerPrincipal }),
			doc: "Most calls of one principal that wait for an answer of its client.",
		},
		{
			name: "children_per_principal", def: "256", value: integer(1, most, func(l *Limits) *int { return &l.ChildrenPerPrincipal }),
			doc: "Most connections to servers of one principal, where servers are not shared.",
		},
	}
}

// minToken is the length from which on a given token is not guessed at once;
// maxToken what a header takes without trouble.
const (
	minToken = 16
	maxToken = 1024
)

var (
	principalPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`) })
	tokenPattern     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) }) // RFC 6750, section 2.1
)

// givenTokens reads the tokens that the file gives.
func givenTokens() value[HTTP] {
	return value[HTTP]{
		label: "object of strings",
		schema: map[string]any{
			"type": "object", "additionalProperties": map[string]any{"type": "string"},
			"propertyNames": map[string]any{"pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
		},
		read: func(r *reader, n *node, dst *HTTP) {
			if !r.is(n, objectKind) {
				return
			}
			dst.Tokens = make(map[string]string, len(n.members))
			owner := map[string]string{}
			for _, m := range n.members {
				token := m.value.text
				switch {
				case !principalPattern().MatchString(m.name):
					r.notes.problem(m.key, "use up to 64 lower-case letters, digits, dots, - and _", "this cannot be the name of a token")
				case !r.is(m.value, stringKind):
				case len(token) < minToken || len(token) > maxToken:
					r.notes.problem(m.value, "relay token add makes one that cannot be guessed",
						"a token has from %d to %d characters", minToken, maxToken)
				case !tokenPattern().MatchString(token):
					r.notes.problem(m.value, "use letters, digits and - . _ ~ + / and = at the end", "this cannot stand in an Authorization header")
				case owner[token] != "":
					r.notes.problem(m.value, "give each name a token of its own", "this token is also that of %s", owner[token])
				default:
					if !m.value.expanded {
						r.notes.warn(m.value, "put it into the environment and write ${NAME}", "a token stands in the file itself")
					}
					owner[token], dst.Tokens[m.name] = m.name, token
				}
			}
		},
	}
}

// originOf returns the origin that a browser would send, or "" when s is none.
func originOf(s string) string {
	s = strings.ToLower(strings.TrimSuffix(s, "/"))
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !validHost(u.Hostname()) || u.Scheme+"://"+u.Host != s {
		return ""
	}
	return s
}
