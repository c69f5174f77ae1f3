package config

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// headers reads the headers of a server.
func headers() value[entry] {
	return value[entry]{
		label:  "object of strings",
		schema: mapSchema("string", "number", "boolean"),
		read: func(r *reader, n *node, dst *entry) {
			if n.kind == nullKind || !r.is(n, objectKind) {
				return
			}
			dst.Headers = make(map[string]string, len(n.members))
			for _, m := range n.members {
				name, text := http.CanonicalHeaderKey(strings.TrimSpace(m.name)), strings.TrimSpace(m.value.text)
				_, twice := dst.Headers[name]
				switch {
				case m.value.broken:
				case !httpguts.ValidHeaderFieldName(name):
					r.notes.problem(m.key, "", "this cannot be the name of a header")
				case twice:
					r.notes.problem(m.key, "remove one of the two", "the header %s is there twice", name)
				case m.value.kind == nullKind || m.value.kind == listKind || m.value.kind == objectKind:
					r.notes.problem(m.value, "", "this must be a string, not %s", m.value.kind)
				case !httpguts.ValidHeaderFieldValue(text):
					r.notes.problem(m.value, "remove line breaks and control characters", "this cannot be the value of a header")
				default:
					dst.Headers[name] = text
				}
			}
		},
	}
}

// finishURL checks the address of a server. No message repeats it: people put
// keys into paths and queries.
func (l *loader) finishURL(e *entry, at *node) {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		l.notes.problem(at, "write it as https://host/path", "this is not a URL")
		return
	case u.Scheme != "http" && u.Scheme != "https":
		l.notes.problem(at, "write it as https://host/path", "the URL must begin with https:// or http://")
		return
	case u.User != nil:
		l.notes.problem(at, "use a header, for example Authorization: \"Bearer ${TOKEN}\"", "the URL must not hold a user name or password")
		return
	}
	if e.Type == "" {
		e.Type = TypeHTTP
		if strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/sse") {
			e.Type = TypeSSE
		}
	}
	if u.Scheme == "https" || loopback(u.Hostname()) {
		return
	}
	if len(e.Headers) > 0 {
		l.notes.problem(at, "use https; plain http gets headers only on this machine", "the headers would travel in the clear")
		return
	}
	l.notes.warn(at, "use https", "everything to and from this server travels in the clear")
}

func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
