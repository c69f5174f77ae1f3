package config

import (
	"net"
	"path/filepath"
	"strings"
	"time"
)

// Front is what the keys transport, host and port say, as files made for
// pan-mcp-relay write it. Transport is stdio or http after [Load]; where
// clients come in over HTTP is in [HTTP].
type Front struct {
	Transport string // TypeStdio or TypeHTTP
	Host      string
	Port      int
}

// The values of [HTTP.Auth].
const (
	AuthToken = "token"
	AuthNone  = "none"
)

// HTTP is the front for clients that connect over HTTP. Tokens holds secrets:
// do not print it.
type HTTP struct {
	Enabled        bool              // the front is HTTP, not stdio
	Listen         string            // host:port, or unix: and an absolute path; see Network
	Path           string            // of the endpoint, absolute
	Auth           string            // AuthToken or AuthNone
	Tokens         map[string]string // given tokens by name; more may be in the token store
	AllowedHosts   []string          // in Host, lower case, with or without port; the name in Listen is among them
	AllowedOrigins []string          // in Origin: scheme://host or scheme://host:port, lower case
	TLS            TLS               // zero: none
	Insecure       bool              // somebody else encrypts what leaves this machine
	MaxSessions    int               // of all clients together
	MaxStreams     int               // responses being streamed, of all clients together
	MaxParked      int               // parked calls of all clients together
	SessionIdle    time.Duration     // a session that says nothing for as long ends
	SSE            bool              // the old endpoints /sse and /messages too
}

// TLS names the files of the front's certificate, in PEM form.
type TLS struct {
	Cert string // absolute
	Key  string // absolute
}

// Limits are what one principal may have at once. 0 is no limit of its own:
// that of all principals together holds.
type Limits struct {
	SessionsPerPrincipal int
	StreamsPerPrincipal  int
	ParkedPerPrincipal   int
	ChildrenPerPrincipal int // connections to servers, child processes among them
}

// The values of [Relay.Isolation]; empty is automatic: IsolationShared with one
// principal, IsolationPrincipal with several.
const (
	IsolationShared    = "shared"
	IsolationPrincipal = "principal"
	IsolationSession   = "session"
)

// unixPrefix begins a Listen that is a socket in the file system.
const unixPrefix = "unix:"

// Network returns what net.Listen wants for Listen.
func (h *HTTP) Network() (network, address string) {
	if path, ok := strings.CutPrefix(h.Listen, unixPrefix); ok {
		return "unix", path
	}
	return "tcp", h.Listen
}

// Local reports whether only this machine reaches the front: it listens on a
// loopback address or on a unix socket.
func (h *HTTP) Local() bool {
	network, address := h.Network()
	if network == "unix" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback(host)
}

// ApplyListen lets flags decide about the front, which are stronger than the
// file and the environment: addr is host:port or unix:PATH (relative to the
// current directory), auth is token or none; an empty one changes nothing. An
// addr makes HTTP the front. The rules are those of the file; the error is
// [Problems]. It may add to Warnings. Call it before c is used.
func (c *Config) ApplyListen(addr, auth string) error {
	if addr == "" && auth == "" {
		return nil
	}
	out := &notes{}
	h := c.Relay.HTTP
	if addr != "" {
		h.Enabled = true
		h.Listen = addr
		if dir, err := filepath.Abs("."); err == nil {
			h.settleListen(out, flagPlace("--listen"), dir, "")
		}
	}
	switch auth {
	case "":
	case AuthToken, AuthNone:
		h.Auth = auth
		if !h.Enabled {
			out.problem(flagPlace("--auth"), "add --listen 127.0.0.1:8000", "a client on standard input needs no token: --auth is for HTTP")
		}
	default:
		out.problem(flagPlace("--auth"), "use token or none", "unknown value %s", quote(auth))
	}
	if len(out.problems) == 0 {
		h.check(out, flagPlace("--listen"), flagPlace("--auth"))
	}
	if err := out.err(); err != nil {
		return err
	}
	c.Relay.HTTP = h
	if h.Enabled {
		c.Relay.Front.Transport = TypeHTTP
	}
	c.Warnings = append(c.Warnings, out.warnings...)
	return nil
}

// flagPlace is the place of something that a flag says.
func flagPlace(name string) *node { return &node{origin: name} }
