package front

import (
	"errors"
	"net/http"
	"time"

	"github.com/mcp-relay/relay/internal/protocol"
)

// reply is the answer to one request of a client while it is written: one JSON
// message when the answer is the first thing there is, else a stream of events.
type reply struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	q     *queue
	takes accepted
	// drained is closed when a stream without an end of its own has to end; nil
	// for one that has.
	drained <-chan struct{}
	// status returns the HTTP status for the JSON-RPC code of an answer.
	status func(code int) int
	// opening is called before the first byte is written, with the answer's code
	// when the answer is among what is written. It may set headers. Nil: there is
	// nothing to do, and events have no ids.
	opening func(stream bool, code int) numbering

	e     *events     // nil until the stream is open
	timer *time.Timer // for silence; nil until something has to be waited for
	known time.Time   // when the client's token was looked at last
}

// numbering says which ids the events of a stream have.
type numbering struct {
	on     bool
	number uint64 // of the stream
	// primed: it begins with an event that has nothing but an id, that of event
	// from.
	primed bool
	from   uint64
}

// errLeft: the client is not there any more.
var errLeft = errors.New("the client left")

// run writes until there is nothing more to write. It returns nil after the
// answer, errLeft, or why there is none; in the last case the caller answers
// when nothing was written yet.
func (p *reply) run() error {
	defer func() {
		if p.timer != nil {
			p.timer.Stop()
		}
	}()
	for {
		b := p.q.take()
		if len(b.items) > 0 || b.answered {
			if p.write(b) != nil {
				return errLeft
			}
			if b.answered {
				return nil
			}
		}
		if b.err != nil {
			if p.e != nil && errors.Is(b.err, errSlow) {
				p.e.abort()
			}
			return b.err
		}
		if err := p.wait(); err != nil {
			return err
		}
	}
}

// wait returns when there may be something to take.
func (p *reply) wait() error {
	if p.timer == nil {
		p.timer, p.known = time.NewTimer(p.h.limits.silence), time.Now()
	} else {
		p.timer.Reset(p.h.limits.silence)
	}
	for {
		if !p.welcome() {
			return errLeft
		}
		select {
		case <-p.q.wake:
			return nil
		case <-p.r.Context().Done():
			return errLeft
		case <-p.drained:
			return errOver
		case <-p.timer.C:
			if p.takes.events && p.beat() != nil {
				return errLeft
			}
			p.timer.Reset(p.h.limits.silence)
		}
	}
}

// welcome reports whether the client may still be served: what lasts longer than
// a silence does not outlive its token. If not, it ends the reply.
func (p *reply) welcome() bool {
	now := time.Now()
	if now.Sub(p.known) < p.h.limits.silence {
		return true
	}
	p.known = now
	if _, ok := p.h.guard.principal(p.r); ok {
		return true
	}
	p.h.shy.refused("no valid token any more")
	if p.e == nil {
		p.without(http.StatusUnauthorized)
	} else {
		p.e.abort()
	}
	return false
}

// write writes a batch.
func (p *reply) write(b batch) error {
	if p.e == nil && b.answered && len(b.items) == 1 && (p.takes.json || p.status(b.code) != http.StatusOK) {
		if p.opening != nil {
			p.opening(false, b.code)
		}
		return p.h.writeJSON(p.w, p.status(b.code), b.items[0].frame)
	}
	if err := p.open(b); err != nil {
		return err
	}
	return p.e.send(b.items)
}

// open begins the stream, unless it is open.
func (p *reply) open(b batch) error {
	if p.e != nil {
		return nil
	}
	code := 0
	if b.answered {
		code = b.code
	}
	var ids numbering
	if p.opening != nil {
		ids = p.opening(true, code)
	}
	p.e = newEvents(p.w, &p.h.limits)
	if ids.on {
		p.e.numbered(ids.number)
	}
	p.e.open()
	if ids.primed {
		return p.e.prime(ids.from)
	}
	return nil
}

func (p *reply) beat() error {
	if err := p.open(batch{}); err != nil {
		return err
	}
	return p.e.comment()
}

// without ends a reply of which nothing was written, without an answer. The
// server's own deadline may be over by now.
func (p *reply) without(status int) {
	newEvents(p.w, &p.h.limits).deadline()
	if status == http.StatusAccepted {
		p.w.WriteHeader(status)
		return
	}
	refuse(p.w, status)
}

// modernStatus is the HTTP status of a modern answer (MCP 2026-07-28, Streamable
// HTTP). Invalid params are an answer like any other when it is the relay or a
// server that found them: those of the request's own form were refused before.
func modernStatus(code int) int {
	switch code {
	case protocol.CodeHeaderMismatch, protocol.CodeMissingCapability, protocol.CodeUnsupportedVersion,
		protocol.CodeInvalidRequest, protocol.CodeParseError:
		return http.StatusBadRequest
	case protocol.CodeMethodNotFound:
		return http.StatusNotFound
	default:
		return http.StatusOK
	}
}

// legacyStatus is the HTTP status of a legacy answer.
func legacyStatus(int) int { return http.StatusOK }
