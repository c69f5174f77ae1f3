package config

import (
	"net"
	"net/netip"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxSocketPath is how long the path of a socket may be, in bytes. Systems
// allow from 103 on.
const maxSocketPath = 103

const listenHint = "write it as 127.0.0.1:8000, or as unix:/path/of/socket"

// listen is a string; its schema knows its form.
func listen() value[HTTP] {
	v := text(func(h *HTTP) *string { return &h.Listen })
	v.schema = map[string]any{"type": "string", "pattern": `^unix:.+|:[0-9]+$|\$\{`}
	return v
}

// settleListen checks Listen and makes it complete. A relative path of a
// socket starts at dir.
func (h *HTTP) settleListen(out *notes, at *node, dir, home string) {
	if socket, ok := strings.CutPrefix(h.Listen, unixPrefix); ok {
		socket = expandHome(socket, home)
		switch {
		case socket == "" || strings.HasPrefix(socket, "@") || strings.Contains(socket, "\x00"):
			// A socket that is no file has no owner and no permissions.
			out.problem(at, listenHint, "unix: needs the path of a file")
			return
		case !filepath.IsAbs(socket):
			socket = filepath.Join(dir, socket)
		}
		socket = filepath.Clean(socket)
		if len(socket) > maxSocketPath {
			out.problem(at, "choose a shorter one", "the path of a socket has %d bytes at most", maxSocketPath)
		}
		h.Listen = unixPrefix + socket
		return
	}
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil || !validHost(host) && host != "" {
		out.problem(at, listenHint, "this is not an address to listen on")
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		out.problem(at, listenHint, "the port must be a number from 0 to 65535")
		return
	}
	h.Listen = net.JoinHostPort(host, port)
	// The front knows its addresses, not their names.
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !strings.EqualFold(host, "localhost") {
		if name := strings.ToLower(host); !slices.Contains(h.AllowedHosts, name) {
			h.AllowedHosts = append(slices.Clone(h.AllowedHosts), name)
		}
	}
}

// validHost reports whether host is an IP address or may be the name of a host.
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
	return host != "" && len(host) <= 253 && strings.Trim(host, letters) == "" && !strings.HasPrefix(host, "-")
}

// check holds the rules that keep the front from being open to others. atListen
// and atAuth are where the address and the authentication are said.
func (h *HTTP) check(out *notes, atListen, atAuth *node) {
	if !h.Enabled {
		return
	}
	network, _ := h.Network()
	switch {
	case h.Auth == AuthNone && !h.Local():
		out.problem(atAuth, "use token, or listen on 127.0.0.1 or on a unix socket",
			"without a token anybody who reaches the relay could use your servers")
	case h.Auth == AuthNone && network == "tcp":
		out.warn(atAuth, "use token, or a unix socket",
			"every program and every user of this machine can use your servers without a token")
	}
	if !h.Local() && h.TLS == (TLS{}) && !h.Insecure {
		out.problem(atListen,
			"give tls a cert and a key; or write insecure: true in relay.http when something in front of the relay encrypts",
			"tokens and content would travel in the clear")
	}
	if network == "unix" && h.TLS != (TLS{}) {
		out.warn(atListen, "", "a unix socket stays on this machine: tls is not used")
		h.TLS = TLS{}
	}
	if h.wildcard() && len(h.AllowedHosts) == 0 {
		out.warn(atListen, "list in relay.http.allowed_hosts the names under which clients know this machine",
			"the relay listens on every address and knows no name of this machine; clients that call it by name are refused")
	}
}

// wildcard reports whether the front listens on all addresses.
func (h *HTTP) wildcard() bool {
	network, address := h.Network()
	if network != "tcp" {
		return false
	}
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// validEndpoint reports whether p can be the path of the endpoint.
func validEndpoint(p string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~-"
	return strings.HasPrefix(p, "/") && path.Clean(p) == p && strings.Trim(p, letters) == ""
}
