package config

import "time"

// frontFields are the keys of the section relay that are about clients.
func frontFields() []field[Relay] {
	return []field[Relay]{
		{
			name: "http", value: object(httpFields(), func(r *Relay) *HTTP { return &r.HTTP }),
			doc: "Clients connect over HTTP instead of standard input and output; every key has a default, so {} is enough.",
		},
		{
			name: "isolation", omitted: "shared with one principal, principal with several",
			value: choice(func(r *Relay) *string { return &r.Isolation }, IsolationShared, IsolationPrincipal, IsolationSession),
			doc:   "Who has servers of its own: nobody, each principal, or each session.",
		},
		{
			name: "limits", value: object(limitFields(), func(r *Relay) *Limits { return &r.Limits }),
			doc: "What one principal may have at once.",
		},
		{
			name: "page_size", def: "1000", value: integer(1, 10_000, func(r *Relay) *int { return &r.PageSize }),
			doc: "Most items of one page of a list.",
		},
		{
			name: "parked_ttl", def: "10m",
			value: duration(10*time.Second, 24*time.Hour, func(r *Relay) *time.Duration { return &r.ParkedTTL }),
			doc:   "How long a call that asked its client for input waits before it is cancelled.",
		},
		{
			name: "max_input_rounds", def: "8", value: integer(1, 100, func(r *Relay) *int { return &r.MaxInputRounds }),
			doc: "How often one call may ask its client for input.",
		},
		{
			name: "server_requests", value: object(requestFields(), func(r *Relay) *Requests { return &r.ServerRequests }),
			doc: "What servers may ask of clients; requests of a server overrides it.",
		},
		{
			name: "transport", omitted: "http with the section http, else stdio", value: transport(),
			doc: "How clients connect to the relay; files made for pan-mcp-relay have it, with host and port. streamable-http is http.",
		},
		{
			name: "host", def: "127.0.0.1", value: text(func(r *Relay) *string { return &r.Front.Host }),
			doc: "Address to listen on; http.listen says it with the port.",
		},
		{
			name: "port", def: "8000", value: integer(1, 65535, func(r *Relay) *int { return &r.Front.Port }),
			doc: "Port to listen on; http.listen says it with the address.",
		},
	}
}

// httpFields are the keys of relay.http.
func httpFields() []field[HTTP] {
	return []field[HTTP]{
		{
			name: "listen", omitted: "127.0.0.1:8000", value: listen(),
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
			doc: "Names, with or without a port, under which clients may call the relay, beside loopback names, what listen says and " +
				"the addresses of this machine.",
		},
		{
			name: "allowed_origins", value: texts(func(h *HTTP) *[]string { return &h.AllowedOrigins }),
			doc: "Values of the header Origin that are taken beside the relay's own, for programs built on a browser, as app://notes. " +
				"Pages of other sites stay refused: browsers mark what these send.",
		},
		{
			name: "tls", value: object(tlsFields(), func(h *HTTP) *TLS { return &h.TLS }),
			doc: "The certificate of the front; without it plain HTTP.",
		},
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
			name: "session_idle", def: "30m",
			value: duration(time.Minute, 7*24*time.Hour, func(h *HTTP) *time.Duration { return &h.SessionIdle }),
			doc:   "A session without a request and without a stream for as long is ended.",
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
