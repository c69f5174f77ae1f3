package config

import (
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// transport reads the key transport, which knows one more spelling.
func transport() value[Relay] {
	v := choice(func(r *Relay) *string { return &r.Front.Transport }, "stdio", "http", "streamable-http", "sse")
	read := v.read
	v.read = func(r *reader, n *node, dst *Relay) {
		same := *n // keeps its place
		same.text = strings.ReplaceAll(n.text, "_", "-")
		read(r, &same, dst)
	}
	return v
}

// finishFront decides how clients connect, from the section http and from the
// keys transport, host and port, which the environment and flags may set too.
func (l *loader) finishFront(relay *node) {
	h, f, section := &l.config.Relay.HTTP, &l.config.Relay.Front, relay.get("http")
	said := l.said["transport"]
	wanted := f.Transport != "" && f.Transport != TypeStdio
	switch {
	case section == nil || l.overrides(said):
		h.Enabled = wanted
	case said == nil || l.inherited(said):
		h.Enabled = true
	case !wanted && !said.broken && f.Transport != "":
		l.notes.problem(said, "remove one of the two", "the transport stdio contradicts the section http")
	default:
		h.Enabled = wanted
	}
	if section.get("sse") == nil && f.Transport == TypeSSE {
		h.SSE = true
	}
	f.Transport = TypeStdio
	if h.Enabled {
		f.Transport = TypeHTTP
		l.finishListen(section)
	}
	if section != nil && section.kind == objectKind {
		l.finishHTTP(h, section)
	}
	if h.Enabled {
		h.check(l.notes, l.listenPlace(section), nearestNode(section.get("auth"), section))
	}
}

// overrides reports whether n stands in the environment or a flag.
func (l *loader) overrides(n *node) bool { return n != nil && n.origin != "" }

// inherited reports whether n stands in the section of a pan-mcp-relay file,
// which is weaker than relay.
func (l *loader) inherited(n *node) bool {
	return n.origin == "" && !strings.HasPrefix(n.path, "relay.")
}

// finishListen takes the address from http.listen, or from host and port.
func (l *loader) finishListen(section *node) {
	h, f, at := &l.config.Relay.HTTP, &l.config.Relay.Front, section.get("listen")
	if at != nil && (at.broken || at.kind != stringKind) {
		return // reported before
	}
	place := l.listenPlace(section)
	if at == nil {
		h.Listen = net.JoinHostPort(f.Host, strconv.Itoa(f.Port))
	} else if stronger := l.override(h, f); stronger != nil {
		place = stronger
	}
	h.settleListen(l.notes, place, l.reader.dir, l.opts.Home)
}

// override puts a host and a port that are stronger than the file into
// http.listen, and returns where the last of them is said, or nil. Weaker ones
// that contradict it are problems.
func (l *loader) override(h *HTTP, f *Front) (place *node) {
	for _, key := range []string{"host", "port"} {
		said := l.said[key]
		switch {
		case said == nil || l.inherited(said):
		case !l.overrides(said):
			l.notes.problem(said, "remove one of the two", "relay.http.listen says the same")
		case strings.HasPrefix(h.Listen, unixPrefix):
			l.notes.warn(said, "remove one of the two", "the relay listens on a unix socket; this has no effect")
		default:
			host, port, err := net.SplitHostPort(h.Listen)
			if err != nil {
				continue // it is reported as it is
			}
			if key == "host" {
				host = f.Host
			} else {
				port = strconv.Itoa(f.Port)
			}
			h.Listen, place = net.JoinHostPort(host, port), said
		}
	}
	return place
}

// listenPlace is where the address is said, or what makes HTTP the front.
func (l *loader) listenPlace(section *node) *node {
	return nearestNode(section.get("listen"), l.said["host"], section, l.said["transport"])
}

// nearestNode returns the first node that there is.
func nearestNode(nodes ...*node) *node {
	i := slices.IndexFunc(nodes, func(n *node) bool { return n != nil })
	if i < 0 {
		return nil
	}
	return nodes[i]
}

// finishHTTP checks what else stands in the section.
func (l *loader) finishHTTP(h *HTTP, section *node) {
	if n := section.get("path"); n != nil && n.kind == stringKind && !n.broken {
		switch {
		case !validEndpoint(h.Path):
			l.notes.problem(n, "write it as /mcp", "this cannot be the path of the endpoint")
		case h.SSE && slices.Contains([]string{"/sse", "/messages"}, h.Path):
			l.notes.problem(n, "choose another, or set sse: false", "this path belongs to the old transport")
		}
	}
	for i, host := range h.AllowedHosts {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = strings.Trim(host, "[]"), "1"
		}
		if n, err := strconv.Atoi(port); !validHost(name) || err != nil || n < 1 || n > 65535 {
			l.notes.problem(section.get("allowed_hosts").item(i), "write it as relay.example.com or relay.example.com:8443",
				"this is not the name of a host")
		}
		h.AllowedHosts[i] = strings.ToLower(host)
	}
	for i, s := range h.AllowedOrigins {
		if h.AllowedOrigins[i] = originOf(s); h.AllowedOrigins[i] == "" {
			l.notes.problem(section.get("allowed_origins").item(i), "write it as app://notes or https://app.example.com",
				"this cannot be the value of Origin")
		}
	}
	for _, file := range []*string{&h.TLS.Cert, &h.TLS.Key} {
		if *file != "" {
			if *file = expandHome(*file, l.opts.Home); !filepath.IsAbs(*file) {
				*file = filepath.Join(l.reader.dir, *file)
			}
		}
	}
	if h.Auth == AuthNone && len(h.Tokens) > 0 {
		names := strings.Join(slices.Sorted(maps.Keys(h.Tokens)), ", ")
		l.notes.problem(section.get("auth"), "remove one of the two", "nobody is asked for the tokens of %s", names)
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
