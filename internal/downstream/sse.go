package downstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// SSE connects to a server that speaks the old HTTP+SSE transport (MCP
// 2024-11-05): all that the server says comes on one event stream, and messages
// to it are posted to an endpoint that the stream names. When the stream ends,
// so does the connection. Redirects are refused, see HTTP.
type SSE struct {
	Name string // the server's name in the configuration
	URL  string // of the event stream
	// Headers are sent with every request, to URL's origin and nowhere else.
	// With headers or an Authorizer, URL must be https unless its host is this
	// machine.
	Headers map[string]string
	// Authorizer makes the Authorization header, instead of a configured one;
	// nil: none.
	Authorizer Authorizer
	// MaxMessage is how many bytes one message from the server may have.
	MaxMessage int
	// OpenTimeout is how long the server may take to name its endpoint; 0: 30 s.
	OpenTimeout time.Duration
	// Proxy chooses a proxy as in http.Transport; nil: none.
	Proxy func(*http.Request) (*url.URL, error)
	// Shape names the protocol's members, see jsonrpc.Parse.
	Shape *jsonrpc.Shape
	Log   *slog.Logger
}

const (
	openTimeout = 30 * time.Second
	// maxEndpoint is how many bytes the event may have that names the endpoint.
	maxEndpoint = 8 << 10
	// eventsBefore is how many other events may come before it.
	eventsBefore = 16
)

// Why there is no connection. Each comes with an error of package peer.
var (
	errNoEndpoint = errors.New("it does not speak HTTP+SSE: its event stream names no endpoint")
	errNoStream   = errors.New("it does not speak HTTP+SSE: it answers with something else than an event stream")
	errNotInTime  = errors.New("it did not name its endpoint in time")
)

// Dial opens the event stream and waits for the endpoint. The stream lives until
// Close or its own end: ctx is for the start only.
func (s SSE) Dial(ctx context.Context, h peer.Handler) (Instance, error) {
	address, err := checkURL(s.URL, len(s.Headers) > 0 || s.Authorizer != nil)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", s.Name, err)
	}
	headers, err := checkHeaders(s.Headers)
	if err != nil {
		return nil, fmt.Errorf("server %q: %w", s.Name, err)
	}
	if s.OpenTimeout <= 0 {
		s.OpenTimeout = openTimeout
	}
	opening, opened := context.WithTimeout(ctx, s.OpenTimeout)
	defer opened()
	book := newCalls()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	release := context.AfterFunc(opening, stop)
	i := &sseInstance{
		origin: origin{client: newClient(s.Proxy, 0), headers: headers, authorizer: s.Authorizer},
		calls:  book,
		inbox:  inbox{calls: book, handler: h, shape: s.Shape},
		log:    s.Log.With("server", s.Name),
		life:   life,
		stop:   stop,
		done:   make(chan struct{}),
	}
	err = i.open(address)
	if !release() { // the stream was ended, whatever open met
		err = fmt.Errorf("%w: %w", peer.ErrGone, errNotInTime)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}
	if err != nil {
		i.shut()
		return nil, fmt.Errorf("connecting to server %q: %w", s.Name, err)
	}
	i.events.limit = s.MaxMessage
	i.out = newOutbox(life, i.send)
	go i.read()
	return i, nil
}

// open opens the event stream and reads where messages go.
func (i *sseInstance) open(address *url.URL) error {
	s := sending{method: http.MethodGet, address: address.String(), accept: streamType, endless: true}
	res, err := i.origin.do(i.life, s) //nolint:bodyclose // the connection closes it when it ends
	if err != nil {
		return err
	}
	i.body = res.Body
	switch {
	case res.StatusCode != http.StatusOK:
		return &StatusError{Status: res.StatusCode}
	case mediaType(res) != streamType:
		return fmt.Errorf("%w: %w", peer.ErrBadAnswer, errNoStream)
	}
	i.events.limit = maxEndpoint
	i.events.open(res.Body)
	for range eventsBefore {
		e, err := i.events.next()
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", peer.ErrBadAnswer, errNoEndpoint)
		case e.name == endpointEvent:
			if i.endpoint, err = endpointAt(address, string(e.data)); err != nil {
				return fmt.Errorf("%w: %w", peer.ErrBadAnswer, err)
			}
			return nil
		case e.isMessage():
			i.inbox.handler.Anomaly(peer.AnomalyMalformed) // nobody has asked anything yet
		}
	}
	return fmt.Errorf("%w: %w", peer.ErrBadAnswer, errNoEndpoint)
}
