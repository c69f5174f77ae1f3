package downstream

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/protocol"
)

// What is wrong with an address or a header. None of them quotes it, because it
// may hold a secret.
var (
	errURL      = errors.New("url must be an absolute http or https URL")
	errUserinfo = errors.New("url must not hold a user name or password: use headers")
	errPlain    = errors.New("headers and tokens are sent over https only, unless the host is this machine: use https")
	errEndpoint = errors.New("the server names an endpoint that is not at its own address")
)

// checkURL returns the URL of a server. With secrets it must be one to which
// they can be sent.
func checkURL(raw string, withSecrets bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errURL
	}
	if u.User != nil {
		return nil, errUserinfo
	}
	if u.Scheme == "http" && withSecrets && !isThisMachine(u.Hostname()) {
		return nil, errPlain
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

// endpointAt returns where an endpoint event sends messages to: a URI, often a
// relative one, of the origin of the event stream (MCP 2024-11-05, HTTP with
// SSE). Another origin would receive the configured headers and every call.
func endpointAt(base *url.URL, said string) (string, error) {
	if !isHeaderText(said) {
		return "", errEndpoint
	}
	ref, err := url.Parse(said)
	if err != nil {
		return "", errEndpoint
	}
	u := base.ResolveReference(ref)
	same := u.Scheme == base.Scheme && strings.EqualFold(u.Hostname(), base.Hostname()) && port(u) == port(base)
	if !same || u.User != nil || u.Opaque != "" {
		return "", errEndpoint
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String(), nil
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// ownHeaders are the headers that the transport sets itself, or that would
// change what a request means.
var ownHeaders = []string{
	"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host",
	"Idempotency-Key", "X-Idempotency-Key", "Keep-Alive", "Last-Event-Id", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func checkHeaders(configured map[string]string) (http.Header, error) {
	headers := make(http.Header, len(configured))
	for name, value := range configured {
		if !protocol.IsToken(name) {
			return nil, fmt.Errorf("header %q is not a name of a header", name) //nolint:err113 // nobody switches on it
		}
		canonical := http.CanonicalHeaderKey(name)
		if strings.HasPrefix(canonical, "Mcp-") || slices.Contains(ownHeaders, canonical) {
			return nil, fmt.Errorf("header %s is set by the relay: remove it", name) //nolint:err113 // as above
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, fmt.Errorf("the value of header %s has a line end or another control character", name) //nolint:err113 // as above
		}
		headers[canonical] = append(headers[canonical], strings.Trim(value, " \t"))
	}
	return headers, nil
}
