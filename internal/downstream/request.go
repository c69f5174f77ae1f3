package downstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// The headers of the transport.
const (
	sessionHeader  = "Mcp-Session-Id"
	versionHeader  = "Mcp-Protocol-Version"
	positionHeader = "Last-Event-Id"

	jsonType   = "application/json"
	streamType = "text/event-stream"
	eitherType = jsonType + ", " + streamType
)

// origin is the one place to which a connection sends its requests, and what
// goes with every one of them and nowhere else.
type origin struct {
	client     *http.Client
	headers    http.Header
	authorizer Authorizer // nil: none
}

// newClient makes a client that follows no redirect and keeps no cookies. A
// connection whose other end is gone is found by TCP's keep-alive.
func newClient(proxy func(*http.Request) (*url.URL, error), headerTimeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: connectTimeout}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  proxy,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    idleConnections,
			MaxResponseHeaderBytes: maxResponseHead,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// terms are what was agreed on with a server.
type terms struct {
	version, session string // "": none
	era              protocol.Era
}

// sending is one HTTP request, which can be made again.
type sending struct {
	method, address string
	accept          string
	frame           []byte // the message; nil: none
	terms           terms
	position        string            // where a stream broke off
	mirrored        []protocol.Header // what the message says too; instead of the terms' version
	// endless: the answer is a stream without a limit. It must not be compressed:
	// a few bytes on the wire could be any number of events.
	endless bool
}

// do makes a request. Its error is one of package peer: ErrNotSent when there
// was no connection, else ErrGone, since the message may have arrived.
//
// A server that answers 401 or 403 has refused the request before it did
// anything: RFC 9110 says so, and nothing else that a server can say is such a
// proof. So the same message is sent once more, and never more than once, when
// the Authorizer has something better to show.
func (o *origin) do(ctx context.Context, s sending) (*http.Response, error) {
	res, err := o.once(ctx, s)
	if err != nil || o.authorizer == nil || !isRefusal(res.StatusCode) {
		return res, err
	}
	if !o.authorizer.Refused(ctx, res.StatusCode, challenge(res)) {
		return res, nil
	}
	closeBody(res)
	res, err = o.once(ctx, s)
	if err == nil && isRefusal(res.StatusCode) {
		o.authorizer.Refused(ctx, res.StatusCode, challenge(res)) // for the next request
	}
	return res, err
}

// once makes a request once.
func (o *origin) once(ctx context.Context, s sending) (*http.Response, error) {
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := o.request(ctx, s)
	if err != nil {
		return nil, err
	}
	res, err := o.client.Do(req)
	switch {
	case err == nil:
		return res, nil
	case connected.Load():
		return nil, fmt.Errorf("%w: %s", peer.ErrGone, describe(err))
	default:
		return nil, fmt.Errorf("%w: %s", peer.ErrNotSent, describe(err))
	}
}

// request makes a request with all its headers.
func (o *origin) request(ctx context.Context, s sending) (*http.Request, error) {
	var body io.Reader
	if s.frame != nil {
		body = bytes.NewReader(s.frame)
	}
	req, err := http.NewRequestWithContext(ctx, s.method, s.address, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", peer.ErrNotSent, errURL) // the error would quote the URL
	}
	// Without GetBody net/http cannot send a body a second time, whatever
	// becomes of the connection: a call may have run although no answer came.
	req.GetBody = nil
	maps.Copy(req.Header, o.headers)
	if o.authorizer != nil {
		value, err := o.authorizer.Authorization(ctx)
		if err != nil {
			return nil, &authorizationError{cause: err}
		}
		if value != "" {
			req.Header.Set("Authorization", value)
		}
	}
	if s.terms.session != "" {
		req.Header.Set(sessionHeader, s.terms.session)
	}
	if s.mirrored == nil && s.terms.version != "" {
		req.Header.Set(versionHeader, s.terms.version)
	}
	for _, h := range s.mirrored {
		req.Header.Set(h.Name, h.Value)
	}
	if s.frame != nil {
		req.Header.Set("Content-Type", jsonType)
	}
	if s.accept != "" {
		req.Header.Set("Accept", s.accept)
	}
	if s.position != "" {
		req.Header.Set(positionHeader, s.position)
	}
	if s.endless {
		req.Header.Set("Accept-Encoding", "identity")
	}
	return req, nil
}

// mediaType returns the type of a response's content without parameters, in
// lower case. Content in an encoding that nobody asked for has none.
func mediaType(res *http.Response) string {
	switch res.Header.Get("Content-Encoding") { // net/http takes the one away that it has undone
	case "", "identity":
	default:
		return ""
	}
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// closeBody ends with a response. Its connection is used again if the body was
// read to its end.
func closeBody(res *http.Response) { _ = res.Body.Close() }

// discard reads the rest of a response that should be empty, so that its
// connection can be used again. The request's context must end.
func discard(res *http.Response) {
	const little = 4 << 10
	if mediaType(res) != streamType {
		_, _ = io.CopyN(io.Discard, res.Body, little) // what it says does not matter
	}
	closeBody(res)
}
