package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// endpointEvent is the name of the event that says where messages go.
const endpointEvent = "endpoint"

// errStreamEnded is why an HTTP+SSE connection ends by itself.
var errStreamEnded = fmt.Errorf("%w: its event stream ended", peer.ErrGone)

// sseInstance is a session with a server of the old HTTP+SSE transport. It
// belongs to the legacy era, whatever version is set.
type sseInstance struct {
	origin   origin
	endpoint string // of the origin of the event stream
	calls    *calls
	inbox    inbox
	out      *outbox
	log      *slog.Logger

	events events // of the reader
	body   io.Closer

	life context.Context //nolint:containedctx // the life of the connection, which no call's context is
	stop context.CancelFunc

	mu      sync.Mutex
	version string
	err     error
	done    chan struct{}
}

var _ Instance = (*sseInstance)(nil)

// posting is a call whose request may still be under way when the answer comes:
// some servers do not end the one before the other, and some never.
type posting struct {
	peer.Caller

	cancel context.CancelFunc
}

// Answered implements peer.Caller.
func (p posting) Answered(r peer.Reply) {
	time.AfterFunc(lingerTime, p.cancel)
	p.Caller.Answered(r)
}

// Call implements Instance.
func (i *sseInstance) Call(c peer.Cleared, by peer.Caller) peer.Call {
	ctx, cancel := context.WithCancel(i.life)
	call, ok := i.calls.begin(posting{by, cancel}, cancel)
	if !ok {
		cancel()
		return call
	}
	frame, err := peer.AppendRequest(make([]byte, 0, frameSize(c)), call.ID(), c)
	if err != nil {
		cancel()
		call.fail(err)
		return call
	}
	before := i.out.before()
	go func() {
		defer cancel()
		if before != nil {
			select {
			case <-before:
			case <-ctx.Done():
			}
		}
		i.post(ctx, call, frame)
	}()
	return call
}

// post sends a call. Its answer comes on the event stream.
func (i *sseInstance) post(ctx context.Context, call *call, frame []byte) {
	res, err := i.origin.do(ctx, i.letter(frame))
	if err != nil {
		call.Abandon(err) // an answer that comes nevertheless is a late one
		return
	}
	if res.StatusCode >= 200 && res.StatusCode <= 299 {
		discard(res)
		return
	}
	defer closeBody(res)
	m, ok := refusal(res, i.inbox.shape)
	switch {
	case ok && !isChallenge(res) && (m.ID == call.ID() || m.ID.IsZero()):
		call.finish(peer.Reply{Error: m.Error})
	case res.StatusCode == http.StatusNotFound: // at the place that the server itself named
		i.end(errSessionEnded)
	default:
		call.Abandon(&StatusError{Status: res.StatusCode})
	}
}

// letter makes the request for one message.
func (i *sseInstance) letter(frame []byte) sending {
	i.mu.Lock()
	defer i.mu.Unlock()
	return sending{method: http.MethodPost, address: i.endpoint, accept: "*/*", frame: frame, terms: terms{version: i.version}}
}

// Notify implements Instance.
func (i *sseInstance) Notify(c peer.Cleared) error { return i.out.notify(c) }

// Answer implements Instance.
func (i *sseInstance) Answer(id jsonrpc.ID, c peer.Cleared) error { return i.out.answer(id, c) }

// send posts a message that has no answer.
func (i *sseInstance) send(ctx context.Context, m *mail) {
	status := 0
	res, err := i.origin.do(ctx, i.letter(m.frame)) //nolint:bodyclose // discard closes it
	if err == nil {
		defer discard(res)
		status = res.StatusCode
	}
	if !i.out.accepted(i.log, status, err) && status == http.StatusNotFound {
		i.end(errSessionEnded)
	}
}

// read is the connection's reader. It ends with the event stream.
func (i *sseInstance) read() {
	for {
		e, err := i.events.next()
		switch {
		case err == nil && e.isMessage():
			i.inbox.frame(e.data)
		case err == nil && e.name == endpointEvent: // messages do not move
			i.inbox.handler.Anomaly(peer.AnomalyMalformed)
		case err == nil:
		case errors.Is(err, errEventTooLong):
			i.inbox.tooLong(e.data)
		default:
			i.end(errStreamEnded)
			return
		}
	}
}

// SetProtocolVersion implements Instance: v goes with every later request. A
// revision of the modern era is not spoken on this transport and is not sent.
func (i *sseInstance) SetProtocolVersion(v string) {
	if v != "" && !isHeaderText(v) || protocol.EraOf(v) == protocol.Modern {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.version = v
}

// Done implements Instance.
func (i *sseInstance) Done() <-chan struct{} { return i.done }

// Err implements Instance.
func (i *sseInstance) Err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

// end ends the connection; only the first reason counts.
func (i *sseInstance) end(err error) {
	i.mu.Lock()
	first := i.err == nil
	if first {
		i.err = err
	}
	i.mu.Unlock()
	if first {
		i.calls.close(peer.ErrGone)
		i.shut()
		close(i.done)
	}
}

// shut ends everything that is open.
func (i *sseInstance) shut() {
	i.stop()
	if i.body != nil {
		_ = i.body.Close() // nothing more is read from it
	}
	i.origin.client.CloseIdleConnections()
}

// Close implements Instance. To a server, the end of the event stream is the end
// of the session.
func (i *sseInstance) Close(time.Duration) { i.end(ErrClosed) }
