package downstream

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// httpInstance is a session with an HTTP server. Each call is an exchange of
// its own and runs on its own goroutine; notifications are sent one after
// another, and calls wait for those that were made before them.
type httpInstance struct {
	settings HTTP
	address  string
	headers  http.Header
	calls    *calls
	inbox    inbox
	client   *http.Client
	log      *slog.Logger

	life    context.Context //nolint:containedctx // the life of the connection, which no call's context is
	stop    context.CancelFunc
	notices chan *notice
	answers chan struct{} // one element per answer that is on its way

	mu        sync.Mutex
	session   string
	version   string
	lastSent  <-chan struct{} // the newest notification is sent when it is closed; nil: none yet
	listening bool
	err       error
	done      chan struct{}
}

var _ Instance = (*httpInstance)(nil)

// notice is a notification that waits for its turn.
type notice struct {
	method string
	frame  []byte
	sent   chan struct{}
}

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
	i.mu.Lock()
	before := i.lastSent
	i.mu.Unlock()
	go func() {
		defer cancel()
		if before != nil {
			select {
			case <-before:
			case <-ctx.Done():
			}
		}
		x := exchange{httpInstance: i, call: call, method: c.Method(), cancel: cancel}
		x.run(ctx, frame)
	}()
	return call
}

// Notify implements Instance.
func (i *httpInstance) Notify(c peer.Cleared) error {
	frame, err := peer.AppendRequest(make([]byte, 0, frameSize(c)), jsonrpc.ID{}, c)
	if err != nil {
		return fmt.Errorf("sending to the server: %w", err)
	}
	if i.life.Err() != nil {
		return peer.ErrGone
	}
	n := &notice{method: c.Method(), frame: frame, sent: make(chan struct{})}
	i.mu.Lock()
	defer i.mu.Unlock()
	select {
	case i.notices <- n:
		i.lastSent = n.sent
		return nil
	default:
		return ErrNoRoom
	}
}

// Answer implements Instance.
func (i *httpInstance) Answer(id jsonrpc.ID, c peer.Cleared) error {
	frame, err := peer.AppendResponse(make([]byte, 0, frameSize(c)), id, c)
	if err != nil {
		return fmt.Errorf("sending to the server: %w", err)
	}
	if i.life.Err() != nil {
		return peer.ErrGone
	}
	select {
	case i.answers <- struct{}{}:
	default:
		return ErrNoRoom
	}
	go func() {
		defer func() { <-i.answers }()
		i.send(i.life, frame)
	}()
	return nil
}

// sendNotices sends notifications in their order.
func (i *httpInstance) sendNotices(life context.Context) {
	for {
		select {
		case <-life.Done():
			return
		case n := <-i.notices:
			ok := i.send(life, n.frame)
			if ok && n.method == protocol.Initialized {
				i.listenOnce(life)
			}
			close(n.sent)
		}
	}
}

// send posts a message that has no answer and reports whether it was accepted.
func (i *httpInstance) send(life context.Context, frame []byte) bool {
	ctx, cancel := context.WithTimeout(life, noticeTimeout)
	defer cancel()
	res, inSession, err := i.post(ctx, frame) //nolint:bodyclose // discard closes it
	if err != nil {
		if life.Err() == nil {
			i.log.Warn("a message could not be sent to the server", "error", err)
		}
		return false
	}
	defer discard(res)
	if res.StatusCode == http.StatusNotFound && inSession {
		i.end(errSessionEnded)
		return false
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		i.log.Warn("the server refused a message", "status", res.StatusCode)
		return false
	}
	return true
}

// SetProtocolVersion implements Instance: v is sent with every later request.
func (i *httpInstance) SetProtocolVersion(v string) {
	if !isHeaderText(v) {
		return // no revision that the relay speaks looks like this
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.version = v
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
		i.deleteSession(grace)
	}
	i.client.CloseIdleConnections()
}

// deleteSession tells the server that the session has ended. Servers may refuse
// that; nothing depends on it.
func (i *httpInstance) deleteSession(grace time.Duration) {
	i.mu.Lock()
	session := i.session
	i.mu.Unlock()
	if session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(i.life), grace)
	defer cancel()
	req, _, err := i.request(ctx, http.MethodDelete, nil)
	if err != nil {
		return
	}
	res, err := i.client.Do(req) //nolint:bodyclose // discard closes it
	if err != nil {
		i.log.Debug("the session was not deleted", "error", describe(err))
		return
	}
	discard(res)
}
