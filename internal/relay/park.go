package relay

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// A client of the modern era is asked nothing: it is told, in the answer to its
// request, what the server wants to know, and sends the request again with the
// answers. Meanwhile the call to a legacy server, which asked in mid-call, is
// parked: the server goes on waiting, and nothing is sent to it twice.

// parked is what a call keeps while its client gathers answers.
type parked struct {
	ctx    context.Context //nolint:containedctx // the call's, which outlives each of its requests
	cancel context.CancelFunc

	arguments []byte // of the request, as the client wrote them

	// The exchange's lock guards these.
	asked     int               // questions so far
	pending   []pendingQuestion // questions that the client has not answered
	level     string            // from which level on the client wants log messages
	held      []func(req *session.Request)
	conclude  func(req *session.Request) // how the call ended while nobody waited
	abandoned bool
}

// pendingQuestion is a question that a client of the modern era has to answer.
type pendingQuestion struct {
	question *question
	params   []byte // as they were judged
}

// isOpen reports whether the server still waits for an answer.
func (w *pendingQuestion) isOpen() bool { return w.question.link.questions.isOpen(w.question) }

// maxHeld bounds the notifications that wait for a parked call's client.
const maxHeld = 256

// parks reports whether a request of this kind may be answered with questions
// (MCP 2026-07-28, multi round-trip requests, supported requests).
func parks(method string) bool {
	switch method {
	case protocol.ToolsCall, protocol.PromptsGet, protocol.ResourcesRead:
		return true
	default:
		return false
	}
}

// asks reports whether a question of this kind may stand in an answer.
func asks(method string) bool {
	switch method {
	case protocol.CreateMessage, protocol.Elicit, protocol.ListRoots:
		return true
	default:
		return false
	}
}

// context returns the context of the call's scans.
func (x *exchange) context() context.Context {
	if x.parked != nil {
		return x.parked.ctx
	}
	return x.client().Context()
}

// park has the client told of a question.
func (x *exchange) park(q *question, c peer.Cleared) {
	p := x.parked
	x.mu.Lock()
	req := x.req
	allowed := p != nil && parks(x.method) && asks(q.method) && len(p.pending) < protocol.MaxInputRequests &&
		x.capabilities.Allows(q.method, c.Body())
	if allowed {
		p.asked++
		q.key = "q" + strconv.Itoa(p.asked)
		p.pending = append(p.pending, pendingQuestion{q, c.Body()})
	}
	first := allowed && len(p.pending) == 1
	x.mu.Unlock()
	switch {
	case !allowed:
		q.refused(protocolError(protocol.CodeMethodNotFound, "the client does not do this"))
	case req != nil && first:
		// Servers that ask several things at once ask them one by one.
		time.AfterFunc(gather, func() { x.suspend(req) })
	}
}

// gather is how long more questions are waited for before the client is told.
const gather = 25 * time.Millisecond

// suspend answers the client's request with the open questions.
func (x *exchange) suspend(req *session.Request) {
	p, r := x.parked, x.relay
	x.mu.Lock()
	in := protocol.Input{HasState: true}
	open := p.pending[:0]
	for _, w := range p.pending {
		if w.isOpen() {
			open = append(open, w)
			in.Requests = append(in.Requests, protocol.InputRequest{Key: w.question.key, Method: w.question.method, Params: w.params})
		}
	}
	p.pending = open
	if x.req != req || len(open) == 0 {
		x.mu.Unlock()
		return
	}
	if x.rounds >= r.opts.MaxInputRounds {
		x.mu.Unlock()
		r.log.Warn("a server asks too often during one call", slog.String("server", x.server.cfg.Name))
		x.refuseQuestions()
		return
	}
	x.rounds++
	x.req, p.level = nil, req.Sender().LogLevel
	x.mu.Unlock()
	id, err := r.lot.Park(req.Session().Principal(), x)
	if err != nil {
		r.log.Warn("a client has too many calls that wait for its answers")
		x.attach(req)
		x.refuseQuestions()
		return
	}
	in.State = r.sealer.Seal(r.binding(bridge.Park, req, x.target), []byte(id), r.opts.ParkedTTL)
	r.answer(req, r.author(peer.Result, x.method, protocol.AppendInputRequired(nil, in)))
}

// conclude ends the exchange: at once, or when the client of a parked call
// comes back.
func (x *exchange) conclude(how func(req *session.Request)) {
	x.mu.Lock()
	req := x.req
	if req == nil && !x.parked.abandoned {
		x.parked.conclude = how
	}
	x.mu.Unlock()
	if req == nil {
		return
	}
	x.release()
	how(req)
}

// last returns the request that the exchange ends with; nil while the call is
// parked.
func (x *exchange) last() *session.Request {
	req := x.client()
	if req != nil {
		x.release()
	}
	return req
}

// release ends the context of a call that may be parked.
func (x *exchange) release() {
	if x.parked != nil {
		x.parked.cancel()
	}
}

// deliver hands a notification to the request that waits for the answer, or
// keeps it for the one that will.
func (x *exchange) deliver(send func(req *session.Request)) {
	x.mu.Lock()
	req, full := x.req, false
	if req == nil && !x.parked.abandoned {
		if full = len(x.parked.held) >= maxHeld; !full {
			x.parked.held = append(x.parked.held, send)
		}
	}
	x.mu.Unlock()
	switch {
	case full:
		x.server.anomaly("too_many_notifications")
	case req != nil && !req.Ended():
		send(req)
	}
}

// withdraw ends the open questions of a call that is over.
func (x *exchange) withdraw() {
	questions := &x.way.link.questions
	for _, q := range questions.of(x) {
		if questions.claim(q) {
			q.unask(x.client())
			// A server that still runs is not left waiting.
			q.answer(q.author(peer.Error, protocolError(protocol.CodeInternalError, "the call is over")))
		}
	}
}

// refuseQuestions answers every open question of the call in the client's place.
func (x *exchange) refuseQuestions() {
	x.mu.Lock()
	open := x.parked.pending
	x.parked.pending = nil // the next question is a first one again
	x.mu.Unlock()
	for _, w := range open {
		w.question.refused(protocolError(protocol.CodeInternalError, "the client cannot be asked now"))
	}
}

// forgotten ends a parked call whose client did not come back.
func (x *exchange) forgotten() {
	x.mu.Lock()
	x.parked.abandoned, x.parked.conclude, x.parked.held = true, nil, nil
	x.mu.Unlock()
	x.parked.cancel()
	x.abandon(errForgotten)
}

// patient keeps the server's deadline from ending the call while a person may
// be asked.
func (x *exchange) patient() {
	x.mu.Lock()
	x.asking++
	watch := x.watch
	x.watch = nil
	x.mu.Unlock()
	x.server.deadlines.remove(watch)
}

// impatient takes one patient back: with the last one the deadline begins anew.
func (x *exchange) impatient() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asking--
	if x.asking == 0 && !x.over && x.call != nil {
		x.watch = x.server.deadlines.add(x)
	}
}
