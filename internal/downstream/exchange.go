package downstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

const (
	// maxErrorBody is how much of the body of a refusal is read.
	maxErrorBody = 64 << 10
	// lingerTime is how long a stream is read after the answer, to let the
	// server end it, which keeps the connection, and to see second answers.
	lingerTime = 2 * time.Second
)

// exchange is one call: a POST and the answer to it.
type exchange struct {
	*httpInstance

	call    *call
	content peer.Cleared
	terms   terms // of when the call was made
	cancel  context.CancelFunc
}

func (x *exchange) run(ctx context.Context, frame []byte) {
	s := sending{method: http.MethodPost, address: x.address, accept: eitherType, frame: frame, terms: x.terms, endless: x.isEndless()}
	if x.isModern() {
		s.mirrored = x.mirrored(x.terms.version, x.content)
	}
	res, err := x.origin.do(ctx, s)
	if err != nil {
		x.call.fail(err)
		return
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		x.refused(res)
		return
	}
	if !x.spoken.Load() {
		x.spoken.Store(true)
	}
	switch media := mediaType(res); {
	case x.content.Method() == protocol.Initialize && !x.joinSession(res):
		x.bad(peer.AnomalyMalformed, peer.ErrBadAnswer)
		closeBody(res)
	case media == jsonType:
		x.whole(res)
	case media == streamType:
		x.streamed(ctx, res)
	default: // nothing, or something that is not MCP
		x.bad(peer.AnomalyMalformed, peer.ErrBadAnswer)
		closeBody(res)
	}
}

func (x *exchange) isModern() bool { return x.terms.era == protocol.Modern }

// isEndless reports whether the call is one whose stream is meant to last (MCP
// 2026-07-28, subscriptions).
func (x *exchange) isEndless() bool { return x.isModern() && x.content.Method() == protocol.Listen }

// joinSession takes the session that the server opened, before the call's
// continuation can send anything that belongs to it. A handshake that was given
// up opens none, and the modern era has none.
func (x *exchange) joinSession(res *http.Response) bool {
	id := res.Header.Get(sessionHeader)
	if id == "" || x.isModern() {
		return true
	}
	if !isHeaderText(id) {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.call.isOpen() && x.agreed.era == protocol.Legacy {
		x.agreed.session = id
	}
	return true
}

// bad ends the call because of what the server sent.
func (x *exchange) bad(anomaly string, err error) {
	x.inbox.handler.Anomaly(anomaly)
	x.call.fail(err)
}

// refused takes a response with a status that is not 2xx. It is an answer if it
// holds a JSON-RPC error for this call.
func (x *exchange) refused(res *http.Response) {
	defer closeBody(res)
	forgotten := x.terms.session != "" && res.StatusCode == http.StatusNotFound
	m, spoken := refusal(res, x.inbox.shape)
	if spoken {
		x.spoken.Store(true)
	}
	// An error without an id is about a request that the server could not read,
	// and there is only one that it can mean.
	ours := m.ID == x.call.ID() || (m.ID.IsZero() && !forgotten)
	if spoken && ours && !isChallenge(res) {
		x.call.finish(peer.Reply{Error: m.Error})
		return
	}
	if forgotten {
		x.end(errSessionEnded)
		return
	}
	x.call.fail(&StatusError{Status: res.StatusCode, Old: x.settings.FallbackSSE && !x.spoken.Load() && isOldStatus(res.StatusCode)})
}

// whole takes a response that is one message.
func (x *exchange) whole(res *http.Response) {
	defer closeBody(res)
	limit := int64(x.settings.MaxMessage)
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case int64(len(body)) > limit:
		x.bad(peer.AnomalyTooLong, peer.ErrTooLong)
		return
	case err != nil:
		x.call.fail(peer.ErrGone)
		return
	}
	m, err := jsonrpc.Parse(body, x.inbox.shape)
	switch {
	case err != nil:
		x.bad(anomalyOf(err), peer.ErrBadAnswer)
	case m.Kind() != jsonrpc.Response:
		x.bad(peer.AnomalyMalformed, peer.ErrBadAnswer)
	case m.ID != x.call.ID():
		x.bad(peer.AnomalyUnasked, peer.ErrBadAnswer)
	default:
		x.inbox.answer(&m)
	}
}

// streamed takes a response that is an event stream, and continues it where it
// breaks off: that asks for the rest of the answer, never for another run of
// the call.
func (x *exchange) streamed(ctx context.Context, res *http.Response) {
	const attempts = 5 // in a row that brought nothing
	s := stream{
		events: events{limit: x.settings.MaxMessage, retry: firstRetry, maxBytes: streamFactor * int64(x.settings.MaxMessage)},
		inbox:  &x.inbox, call: x.call, answered: func() { time.AfterFunc(lingerTime, x.cancel) },
		maxEvents: x.settings.MaxEvents, modern: x.isModern(),
	}
	if x.isEndless() {
		s.maxEvents, s.maxBytes = 0, 0
	}
	for failed := 0; ; {
		before := s.count
		err := s.consume(res.Body)
		switch {
		case !x.call.isOpen():
			return
		case errors.Is(err, errEventTooLong) || errors.Is(err, errStreamTooLong):
			x.bad(peer.AnomalyTooLong, peer.ErrTooLong)
			return
		case s.count > before:
			failed = 0
		default:
			failed++
		}
		// Streams of the modern era cannot be continued.
		if s.modern || s.position == "" || failed >= attempts || !pause(ctx, s.wait()) {
			x.call.fail(peer.ErrGone)
			return
		}
		if res, err = x.listen(ctx, x.terms, s.position); err != nil {
			x.call.fail(peer.ErrGone) // whatever became of this request: the call was sent
			return
		}
		if res.StatusCode != http.StatusOK || mediaType(res) != streamType {
			closeBody(res)
			x.call.fail(peer.ErrGone)
			return
		}
	}
}

// pause waits and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
