package front

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// guard decides who may speak to the relay at all. It looks at headers only,
// before anything of a request is read or done, and at every method: a page in
// the user's browser can send a GET without asking.
type guard struct {
	hosts   []string // beside the loopback names; with a port, or for any
	origins []string
	tokens  Verifier
}

// local reports whether a request comes from a program and was meant for this
// server: against pages that have their own name resolve to a loopback address,
// and against pages that send requests to other sites (MCP 2026-07-28,
// Streamable HTTP, security).
func (g *guard) local(r *http.Request) bool {
	return g.host(r) && g.origin(r) && sameSite(r.Header["Sec-Fetch-Site"])
}

// host checks the Host header. A page can choose its own name only: an address
// that the connection really has is as good as a loopback name.
func (g *guard) host(r *http.Request) bool {
	at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if at != nil && at.Network() == "unix" {
		return true // no page can reach it
	}
	host := strings.ToLower(r.Host)
	name, port := splitPort(host)
	for _, allowed := range g.hosts {
		if host == allowed || name == allowed {
			return true
		}
	}
	tcp, ok := at.(*net.TCPAddr)
	if !ok || !rightPort(port, tcp.Port, r.TLS != nil) {
		return false
	}
	if name == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return err == nil && (addr.IsLoopback() || addr == tcp.AddrPort().Addr().Unmap())
}

// splitPort splits a host that may have a port. The port is "" without one.
func splitPort(host string) (name, port string) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.Contains(host[i:], "]") {
		return host[:i], host[i+1:]
	}
	return host, ""
}

func rightPort(port string, listening int, secure bool) bool {
	switch {
	case port != "":
		return port == strconv.Itoa(listening)
	case secure:
		return listening == 443
	default:
		return listening == 80
	}
}

// origin checks the Origin header, which browsers send and programs do not.
func (g *guard) origin(r *http.Request) bool {
	values := r.Header["Origin"]
	if len(values) == 0 {
		return true
	}
	if len(values) != 1 {
		return false
	}
	origin := strings.ToLower(values[0])
	if slices.Contains(g.origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return u.Scheme == scheme && strings.EqualFold(u.Host, r.Host)
}

// sameSite checks Sec-Fetch-Site, which a page cannot set or leave out.
func sameSite(values []string) bool {
	for _, v := range values {
		if v != "same-origin" && v != "none" {
			return false
		}
	}
	return true
}

// principal returns who sends a request. Whatever is wrong with a token, the
// same is done.
func (g *guard) principal(r *http.Request) (string, bool) {
	if g.tokens == nil {
		return local, true
	}
	var token string
	if values := r.Header["Authorization"]; len(values) == 1 {
		scheme, rest, _ := strings.Cut(values[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			token = strings.TrimSpace(rest)
		}
	}
	return g.tokens.Verify(token)
}
