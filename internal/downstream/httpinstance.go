package downstream

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// httpInstance is a connection to an HTTP server: in the legacy era a session,
// in the modern one nothing but an address. Each call is an exchange of its own
// and runs on its own goroutine.
type httpInstance struct {
	settings HTTP
	origin   origin
	address  string
	calls    *calls
	inbox    inbox
	out      *outbox
	log      *slog.Logger
	mirrors  atomic.Pointer[map[string][]protocol.Mirror]
	spoken   atomic.Bool // the server speaks this transport

	life context.Context //nolint:containedctx // the life of the connection, which no call's context is
	stop context.CancelFunc

	mu            sync.Mutex
	agreed        terms
	stopListening context.CancelFunc // not nil: a stream for what belongs to no call is kept open
	err           error
	done          chan struct{}
}

var _ Instance = (*httpInstance)(nil)

// Call implements Instance.
func (i *httpInstance) Call(c peer.Cleared, by peer.Caller) peer.Call {
	ctx, cancel := context.WithCancel(i.life)
	call, ok := i.calls.begin(by, cancel)
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
	before, agreed := i.out.before(), i.terms()
	go func() {
		defer cancel()
		if before != nil {
			select {
			case <-before:
			case <-ctx.Done():
			}
		}
		x := exchange{httpInstance: i, call: call, content: c, terms: agreed, cancel: cancel}
		x.run(ctx, frame)
	}()
	return call
}

// Notify implements Instance. In the modern era, where the end of a call's
// stream cancels it, a server is not told of it in words.
func (i *httpInstance) Notify(c peer.Cleared) error {
	if c.Method() == protocol.Cancelled && c.Valid() && i.terms().era == protocol.Modern {
		return nil
	}
	return i.out.notify(c)
}

// Answer implements Instance. A server of the modern era has no requests that
// could be answered.
func (i *httpInstance) Answer(id jsonrpc.ID, c peer.Cleared) error {
	if i.terms().era == protocol.Modern {
		return fmt.Errorf("%w: a server of the modern era takes no answers", peer.ErrNotSent)
	}
	return i.out.answer(id, c)
}

// terms returns what was agreed on by now.
func (i *httpInstance) terms() terms {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.agreed
}

// send posts a message that has no answer.
func (i *httpInstance) send(ctx context.Context, m *mail) {
	agreed := i.terms()
	s := sending{method: http.MethodPost, address: i.address, accept: eitherType, frame: m.frame, terms: agreed}
	if agreed.era == protocol.Modern {
		s.mirrored = i.mirrored(agreed.version, m.content)
	}
	status := 0
	res, err := i.origin.do(ctx, s) //nolint:bodyclose // discard closes it
	if err == nil {
		defer discard(res)
		if status = res.StatusCode; status == http.StatusNotFound && agreed.session != "" {
			i.end(errSessionEnded)
		}
	}
	ok := i.out.accepted(i.log, status, err)
	if ok && m.content.Method() == protocol.Initialized && agreed.era == protocol.Legacy {
		i.awaitStream(ctx, i.listenOnce())
	}
}

// SetProtocolVersion implements Instance: v goes with every later request. A
// session and the stream that belongs to it are given up unless v is of the
// legacy era.
func (i *httpInstance) SetProtocolVersion(v string) {
	if v != "" && !isHeaderText(v) {
		return // no revision that the relay speaks looks like this
	}
	i.mu.Lock()
	old, stop := i.agreed, i.stopListening
	i.agreed.version, i.agreed.era = v, protocol.EraOf(v)
	leave := v == "" || i.agreed.era == protocol.Modern
	if leave {
		i.agreed.session, i.stopListening = "", nil
	}
	i.mu.Unlock()
	if !leave {
		return
	}
	if stop != nil {
		stop()
	}
	if old.session != "" {
		go i.deleteSession(i.life, old, noticeTimeout)
	}
}

// Done implements Instance.
func (i *httpInstance) Done() <-chan struct{} { return i.done }

// Err implements Instance.
func (i *httpInstance) Err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

// end ends the connection; only the first reason counts.
func (i *httpInstance) end(err error) bool {
	i.mu.Lock()
	first := i.err == nil
	if first {
		i.err = err
	}
	i.mu.Unlock()
	if first {
		i.calls.close(peer.ErrGone)
		i.stop()
		close(i.done)
	}
	return first
}

// Close implements Instance: it ends all exchanges and deletes the session.
func (i *httpInstance) Close(grace time.Duration) {
	if i.end(ErrClosed) {
		if agreed := i.terms(); agreed.session != "" {
			i.deleteSession(context.WithoutCancel(i.life), agreed, grace)
		}
	}
	i.origin.client.CloseIdleConnections()
}

// deleteSession tells the server that a session has ended. Servers may refuse
// that; nothing depends on it.
func (i *httpInstance) deleteSession(ctx context.Context, of terms, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	s := sending{method: http.MethodDelete, address: i.address, terms: of}
	res, err := i.origin.once(ctx, s) //nolint:bodyclose // discard closes it
	if err != nil {
		i.log.Debug("the session was not deleted", "error", err)
		return
	}
	discard(res)
}
