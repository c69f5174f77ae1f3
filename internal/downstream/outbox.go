package downstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

const (
	noticeTimeout    = 30 * time.Second // for the server to accept what has no answer
	pendingNotices   = 256
	concurrentAnswer = 64
)

// outbox sends by HTTP what has no answer: notifications one after another,
// answers to requests of the server beside each other. Calls wait for the
// notifications that were made before them.
type outbox struct {
	life    context.Context //nolint:containedctx // the life of the connection, which no message's context is
	send    func(ctx context.Context, m *mail)
	notices chan *mail
	answers chan struct{} // one element per answer that is on its way

	mu   sync.Mutex
	last <-chan struct{} // the newest notification was sent when it is closed; nil: none yet
}

// mail is a message without an answer.
type mail struct {
	content peer.Cleared
	frame   []byte
	sent    chan struct{} // nil for an answer
}

// newOutbox makes an outbox that ends with life.
func newOutbox(life context.Context, send func(ctx context.Context, m *mail)) *outbox {
	o := &outbox{
		life: life, send: send,
		notices: make(chan *mail, pendingNotices),
		answers: make(chan struct{}, concurrentAnswer),
	}
	go o.run()
	return o
}

// run sends notifications in their order.
func (o *outbox) run() {
	for {
		select {
		case <-o.life.Done():
			return
		case m := <-o.notices:
			o.deliver(m)
			close(m.sent)
		}
	}
}

func (o *outbox) deliver(m *mail) {
	ctx, cancel := context.WithTimeout(o.life, noticeTimeout)
	defer cancel()
	o.send(ctx, m)
}

// notify takes a notification.
func (o *outbox) notify(c peer.Cleared) error {
	frame, err := peer.AppendRequest(make([]byte, 0, frameSize(c)), jsonrpc.ID{}, c)
	if err != nil {
		return fmt.Errorf("sending to the server: %w", err)
	}
	if o.life.Err() != nil {
		return peer.ErrGone
	}
	m := &mail{content: c, frame: frame, sent: make(chan struct{})}
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.notices <- m:
		o.last = m.sent
		return nil
	default:
		return ErrNoRoom
	}
}

// answer takes an answer to a request of the server.
func (o *outbox) answer(id jsonrpc.ID, c peer.Cleared) error {
	frame, err := peer.AppendResponse(make([]byte, 0, frameSize(c)), id, c)
	if err != nil {
		return fmt.Errorf("sending to the server: %w", err)
	}
	if o.life.Err() != nil {
		return peer.ErrGone
	}
	select {
	case o.answers <- struct{}{}:
	default:
		return ErrNoRoom
	}
	go func() {
		defer func() { <-o.answers }()
		o.deliver(&mail{content: c, frame: frame})
	}()
	return nil
}

// before returns what a call must wait for that is made now; nil: nothing.
func (o *outbox) before() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// accepted reports whether the server took a message, and logs why not. It
// ends with the response.
func (o *outbox) accepted(log *slog.Logger, status int, err error) bool {
	switch {
	case err == nil && status >= 200 && status <= 299:
		return true
	case o.life.Err() != nil: // the connection was ended
	case err != nil:
		log.Warn("a message could not be sent to the server", "error", err)
	default:
		log.Warn("the server refused a message", "status", status)
	}
	return false
}
