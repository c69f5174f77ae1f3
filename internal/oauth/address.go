package oauth

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// What is wrong with an address. None of them quotes it: it may come from
// anybody, or hold a secret.
var (
	errURL      = errors.New("not an absolute https address that can be used safely")
	errPlain    = errors.New("not https: plain http is for this machine only")
	errHost     = errors.New("the host is not spelled as a name or an address usually is")
	errNoOAuth  = errors.New("a login needs an https address, or one on this machine")
	errTooLong  = errors.New("the address is too long")
	errForeign  = errors.New("the endpoint is not on the origin of its authorization server: if that is meant, set oauth.issuer")
	errUserinfo = errors.New("the address holds a user name or password")
)

// maxURL bounds the addresses that metadata may name, in bytes.
const maxURL = 2048

// plainURL are the characters of an address besides letters and digits. What
// shells, browsers and terminals could take for something else is not among
// them, although some of it would be legal.
const plainURL = "-._~:/?[]@&+,=%"

// parse reads an address that somebody else named. It returns only what may be
// requested, or opened in a browser: https, or http on this machine if the
// server is there too, with a host that is spelled in the usual way.
func (g *guard) parse(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, errTooLong
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune(plainURL, r) }) {
		return nil, errURL
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") {
		return nil, errURL
	}
	if u.User != nil {
		return nil, errUserinfo
	}
	kind, err := hostKind(u.Hostname())
	if err != nil {
		return nil, err
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errURL
	case u.Scheme == "http" && kind != loopback:
		return nil, errPlain
	}
	g.mu.Lock()
	trusted := g.trusted[strings.ToLower(u.Hostname())]
	g.mu.Unlock()
	if err := g.permit(kind, trusted); err != nil {
		return nil, err
	}
	return u, nil
}

// hostKind says what a host is by its spelling: an address of some kind, or a
// name, which counts as public until it is dialled. Decimal, octal, hexadecimal
// and shortened spellings of addresses are refused, and so is IPv4 inside IPv6.
func hostKind(host string) (reach, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Is4In6() || ip.Zone() != "" {
			return nowhere, errHost
		}
		return reachOf(ip), nil
	}
	host = strings.ToLower(host)
	if host == "" || len(host) > 253 {
		return nowhere, errHost
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' && r != '_' }) {
			return nowhere, errHost
		}
	}
	last := labels[len(labels)-1]
	if strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == "" {
		return nowhere, errHost // resolvers of some systems read it as an address
	}
	if last == "localhost" {
		return loopback, nil
	}
	return public, nil
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// parseServer reads the configured address of the MCP server.
func parseServer(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return nil, errNoOAuth
	}
	kind, err := hostKind(u.Hostname())
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" && (u.Scheme != "http" || kind != loopback) {
		return nil, errNoOAuth
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// origin returns scheme, host and port of an address, in a form that can be
// compared.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
