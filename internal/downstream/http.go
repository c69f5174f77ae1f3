package downstream

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// HTTP connects to a server that speaks Streamable HTTP, in either era (MCP
// 2025-03-26 to 2025-11-25, and 2026-07-28). Redirects are refused: they would
// carry the configured headers, and calls, to another place.
type HTTP struct {
	Name string // the server's name in the configuration
	URL  string
	// Headers are sent with every request, to URL's origin and nowhere else.
	// With headers or an Authorizer, URL must be https unless its host is this
	// machine.
	Headers map[string]string
	// Authorizer makes the Authorization header, instead of a configured one;
	// nil: none.
	Authorizer Authorizer
	// FallbackSSE: until the server has accepted a request, or refused one with a
	// JSON-RPC message, a call that it refuses with 400, 404 or 405 ends with an
	// error that is ErrOldTransport.
	FallbackSSE bool
	// MaxMessage is how many bytes one message from the server may have, after
	// decompression. One call's stream may have four times as many in all.
	MaxMessage int
	// MaxEvents is how many events the stream of one call may have; 0: 100000.
	// Neither bounds a stream of subscriptions/listen as a whole.
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

	connectTimeout  = 10 * time.Second
	idleTimeout     = 90 * time.Second
	idleConnections = 16
	maxResponseHead = 64 << 10
)

// Dial checks the settings. The first connection is made by the first call. The
// Instance has a method SetMirrors(map[string][]protocol.Mirror) that says which
// parameters of which tools the modern era wants in headers.
func (s HTTP) Dial(ctx context.Context, h peer.Handler) (Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connecting to server %q: %w", s.Name, err)
	}
	address, err := checkURL(s.URL, len(s.Headers) > 0 || s.Authorizer != nil)
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
		origin:   origin{client: newClient(s.Proxy, s.HeaderTimeout), headers: headers, authorizer: s.Authorizer},
		address:  address.String(),
		calls:    book,
		inbox:    inbox{calls: book, handler: h, shape: s.Shape},
		log:      s.Log.With("server", s.Name),
		life:     life,
		stop:     stop,
		done:     make(chan struct{}),
	}
	i.out = newOutbox(life, i.send)
	return i, nil
}
