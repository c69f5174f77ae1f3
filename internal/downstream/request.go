package downstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/mcp-relay/relay/internal/peer"
)

// The headers of the transport.
const (
	sessionHeader  = "Mcp-Session-Id"
	versionHeader  = "Mcp-Protocol-Version"
	positionHeader = "Last-Event-Id"

	jsonType   = "application/json"
	streamType = "text/event-stream"
)

// request makes a request with all headers that go with every request. It also
// reports whether the request names a session.
func (i *httpInstance) request(ctx context.Context, method string, body []byte) (*http.Request, bool, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, i.address, reader)
	if err != nil {
		return nil, false, errURL // the error would quote the URL
	}
	// Without GetBody net/http cannot send a body a second time, whatever
	// becomes of the connection: a call may have run although no answer came.
	req.GetBody = nil
	maps.Copy(req.Header, i.headers)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.session != "" {
		req.Header.Set(sessionHeader, i.session)
	}
	if i.version != "" {
		req.Header.Set(versionHeader, i.version)
	}
	return req, i.session != "", nil
}

// post sends one message. Its error is one of package peer: ErrNotSent when
// there was no connection, else ErrGone, since the message may have arrived.
func (i *httpInstance) post(ctx context.Context, frame []byte) (*http.Response, bool, error) {
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, inSession, err := i.request(ctx, http.MethodPost, frame)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", peer.ErrNotSent, err)
	}
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("Accept", jsonType+", "+streamType)
	res, err := i.client.Do(req)
	switch {
	case err == nil:
		return res, inSession, nil
	case connected.Load():
		return nil, false, fmt.Errorf("%w: %s", peer.ErrGone, describe(err))
	default:
		return nil, false, fmt.Errorf("%w: %s", peer.ErrNotSent, describe(err))
	}
}

// listen asks for an event stream: the one for what the server says by itself,
// or, with a position, the rest of one that broke.
func (i *httpInstance) listen(ctx context.Context, position string) (*http.Response, error) {
	req, _, err := i.request(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", streamType)
	if position != "" {
		req.Header.Set(positionHeader, position)
	}
	res, err := i.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", peer.ErrGone, describe(err))
	}
	return res, nil
}

// closeBody ends with a response. Its connection is used again if the body was
// read to its end.
func closeBody(res *http.Response) { _ = res.Body.Close() }

// discard reads the rest of a response that should be empty, so that its
// connection can be used again. The request's context must have a deadline.
func discard(res *http.Response) {
	const little = 4 << 10
	if mediaType(res) != streamType {
		_, _ = io.CopyN(io.Discard, res.Body, little) // what it says does not matter
	}
	closeBody(res)
}
