package session

import (
	"context"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// Request is a request of the client that waits for its answer.
type Request struct {
	session *Session
	id      jsonrpc.ID
	method  string
	sender  *Sender         // nil: the session's
	ctx     context.Context //nolint:containedctx // a request is its context's owner
	cancel  context.CancelFunc

	mu        sync.Mutex
	ended     bool
	cancelled bool
	onCancel  func()
}

// Context ends when the request is answered, cancelled or its session ends.
func (r *Request) Context() context.Context { return r.ctx }

// Session returns whose request it is.
func (r *Request) Session() *Session { return r.session }

// ID returns the client's id of the request.
func (r *Request) ID() jsonrpc.ID { return r.id }

// Sender returns what the client says of itself for this request.
func (r *Request) Sender() Sender {
	if r.sender != nil {
		return *r.sender
	}
	return r.session.Sender()
}

// Modern reports whether the request is of the modern era.
func (r *Request) Modern() bool { return r.sender != nil }

// Method returns the request's method.
func (r *Request) Method() string { return r.method }

// Ended reports whether the request was answered or cancelled.
func (r *Request) Ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// OnCancel has f called once when the request is cancelled or its session ends
// before it was answered; at once when that happened already. There is one
// such function: a later one replaces it.
func (r *Request) OnCancel(f func()) {
	r.mu.Lock()
	cancelled := r.cancelled
	if !r.ended {
		r.onCancel = f
	}
	r.mu.Unlock()
	if cancelled {
		f()
	}
}

// Answer sends the answer. Of several calls only the first has an effect, and
// none after the request was cancelled.
func (r *Request) Answer(c peer.Cleared) error {
	if !c.Valid() {
		return peer.ErrNotCleared
	}
	if !r.end(false) {
		return nil
	}
	// The answer goes out before the request is forgotten: an ending session
	// waits for the requests it knows.
	err := r.session.sink.Respond(r.id, c)
	r.session.forget(r)
	r.cancel()
	return err
}

// Notify sends a notification that belongs to the request.
func (r *Request) Notify(c peer.Cleared) error { return r.session.sink.Notify(r.id, c) }

// finish ends the request without an answer, and reports whether it was open.
func (r *Request) finish() bool {
	if !r.end(true) {
		return false
	}
	r.session.forget(r)
	r.cancel()
	// Nobody changes it any more, see OnCancel.
	if r.onCancel != nil {
		r.onCancel()
	}
	return true
}

// end marks the request as over, and reports whether it was open.
func (r *Request) end(cancelled bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	r.ended, r.cancelled = true, cancelled
	return true
}
