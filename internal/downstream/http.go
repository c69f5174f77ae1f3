package downstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// HTTP connects to a server that speaks Streamable HTTP (MCP revisions up to
// 2025-11-25). Redirects are refused: they would carry the configured headers,
// and calls, to another place.
type HTTP struct {
	Name string // the server's name in the configuration
	URL  string
	// Headers are sent with every request, to URL's origin and nowhere else.
	// With headers, URL must be https unless its host is this machine.
	Headers map[string]string
	// MaxMessage is how many bytes one message from the server may have, after
	// decompression. One call's stream may have streamFactor times as many.
	MaxMessage int
	// MaxEvents is how many events the stream of one call may have; 0: 100000.
	MaxEvents int
	// HeaderTimeout is how long the server may take to begin an answer. A
	// server that does not stream begins when the tool has finished, so that it
	// should not be less than the time limit of calls. 0: until the call is
	// abandoned.
	HeaderTimeout time.Duration
	// Proxy chooses a proxy as in http.Transport; nil: none.
	Proxy func(*http.Request) (*url.URL, error)
	// Shape names the protocol's members, see jsonrpc.Parse.
	Shape *jsonrpc.Shape
	Log   *slog.Logger
}

const (
	defaultMaxEvents = 100_000
	streamFactor     = 4

	connectTimeout   = 10 * time.Second
	idleTimeout      = 90 * time.Second
	idleConnections  = 16
	maxResponseHead  = 64 << 10
	noticeTimeout    = 30 * time.Second // for what is sent and has no answer
	pendingNotices   = 256
	concurrentAnswer = 64
)

// Dial checks the settings. The first connection is made by the first call.
func (s HTTP) Dial(ctx context.Context, h peer.Handler) (Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connecting to server %q: %w", s.Name, err)
	}
	address, err := checkURL(s.URL, len(s.Headers) > 0)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", s.Name, err)
	}
	headers, err := checkHeaders(s.Headers)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", s.Name, err)
	}
	if s.MaxEvents <= 0 {
		s.MaxEvents = defaultMaxEvents
	}
	book := newCalls()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	i := &httpInstance{
		settings: s,
		address:  address,
		headers:  headers,
		calls:    book,
		inbox:    inbox{calls: book, handler: h, shape: s.Shape},
		client:   s.client(),
		log:      s.Log.With("server", s.Name),
		life:     life,
		stop:     stop,
		notices:  make(chan *notice, pendingNotices),
		answers:  make(chan struct{}, concurrentAnswer),
		done:     make(chan struct{}),
	}
	go i.sendNotices(life)
	return i, nil
}

// client makes a client that follows no redirect and keeps no cookies.
func (s HTTP) client() *http.Client {
	dialer := &net.Dialer{Timeout: connectTimeout}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  s.Proxy,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  s.HeaderTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    idleConnections,
			MaxResponseHeaderBytes: maxResponseHead,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// What is wrong with an address or a header. None of them quotes it, because it
// may hold a secret.
var (
	errURL      = errors.New("url must be an absolute http or https URL")
	errUserinfo = errors.New("url must not hold a user name or password: use headers")
	errPlain    = errors.New("headers are sent over https only, unless the host is this machine: use https")
)

func checkURL(raw string, withHeaders bool) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", errURL
	}
	if u.User != nil {
		return "", errUserinfo
	}
	if u.Scheme == "http" && withHeaders && !isThisMachine(u.Hostname()) {
		return "", errPlain
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String(), nil
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
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
		if !isToken(name) {
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

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		letter := (r|0x20) >= 'a' && (r|0x20) <= 'z'
		digit := r >= '0' && r <= '9'
		return !letter && !digit && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
