package relay

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// A client of the modern era is asked nothing: it is told, in the answer to its
// request, what the server wants to know, and sends the request again with the
// answers. Meanwhile the call to a legacy server, which asked in mid-call, is
// parked: the server goes on waiting, and nothing is sent to it twice.

// parked is what a call keeps while its client gathers answers.
type parked struct {
	ctx    context.Context //nolint:containedctx // the call's, which outlives each of its requests
	cancel context.CancelFunc

	// The exchange's lock guards these.
	asked     int               // questions so far
	pending   []pendingQuestion // questions that the client has not answered
	lot       string            // where the call is parked; empty: it is not
	held      []func(req *session.Request)
	conclude  func(req *session.Request) // how the call ended while nobody waited
	abandoned bool
}

// pendingQuestion is a question that a client of the modern era has to answer.
type pendingQuestion struct {
	question *question
	params   []byte // as they were judged
}

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
	allowed := p != nil && parks(x.method) && len(p.pending) < protocol.MaxInputRequests &&
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
	if x.req != req || len(p.pending) == 0 {
		x.mu.Unlock()
		return
	}
	x.req = nil
	in := protocol.Input{HasState: true}
	for _, w := range p.pending {
		in.Requests = append(in.Requests, protocol.InputRequest{Key: w.question.key, Method: w.question.method, Params: w.params})
	}
	x.mu.Unlock()
	id, err := r.lot.Park(req.Session().Principal(), x)
	if err != nil {
		r.log.Warn("a client has too many calls that wait for its answers")
		x.attach(req)
		x.refuseQuestions()
		return
	}
	x.mu.Lock()
	p.lot = id
	x.mu.Unlock()
	in.State = r.sealer.Seal(r.binding(bridge.Park, req, x.target), []byte(id), r.opts.ParkedTTL)
	r.answer(req, r.author(peer.Result, x.method, protocol.AppendInputRequired(nil, in)))
}

// binding ties what a client is given to that client and request.
func (r *Relay) binding(kind bridge.Kind, req *session.Request, target protocol.Target) bridge.Binding {
	return bridge.Binding{Kind: kind, Principal: req.Session().Principal(), Method: req.Method(), Target: target.Value}
}

// takeUp goes on with the parked call whose state a request brings. It reports
// false when the state is of no parked call.
func (r *Relay) takeUp(req *session.Request, m jsonrpc.Message, target protocol.Target, state string) bool {
	id, err := r.sealer.Open(r.binding(bridge.Park, req, target), state)
	if err != nil {
		return false
	}
	x, ok := r.lot.Take(string(id))
	if !ok {
		return false
	}
	if !sameArguments(x.subject.Content.Data, m.Params) {
		x.abandon(errForgotten)
		return false
	}
	subject := &scan.Subject{Part: peer.Params, Hidden: x.subject.Hidden, Content: x.subject.Content}
	subject.Content.Data = protocol.StripMeta(m.Params)
	r.gate.Judge(req.Context(), subject, func(d scan.Decision) {
		if d.Outcome != scan.Passed {
			r.refuse(req, judged(&d, verdict.Request))
			x.abandon(errForgotten)
			return
		}
		x.resume(req, d.Cleared.Body())
	})
	return true
}

// resume hands the client's answers to the server. params were judged.
func (x *exchange) resume(req *session.Request, params []byte) {
	answers, _ := protocol.InputResponses(params)
	for _, w := range x.unanswered() {
		if a, ok := answers[w.question.key]; ok && protocol.CheckAnswer(w.question.method, a) != nil {
			delete(answers, w.question.key) // it is asked again
		}
	}
	p := x.parked
	x.mu.Lock()
	var told []pendingQuestion
	var rest []pendingQuestion
	for _, w := range p.pending {
		if _, ok := answers[w.question.key]; ok {
			told = append(told, w)
		} else {
			rest = append(rest, w)
		}
	}
	p.pending = rest
	x.token, _ = protocol.ProgressToken(params)
	x.mu.Unlock()
	x.attach(req)
	for _, w := range told {
		if w.question.link.forget(w.question) {
			w.question.answer(w.question.author(peer.Result, answers[w.question.key]))
		}
	}
	x.suspend(req) // what is open still
}

// unanswered returns the questions that the client has to answer.
func (x *exchange) unanswered() []pendingQuestion {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.parked.pending)
}

// attach makes req the request that waits for the call's answer, and hands it
// what came meanwhile.
func (x *exchange) attach(req *session.Request) {
	p := x.parked
	x.mu.Lock()
	x.req, p.lot = req, ""
	held, conclude := p.held, p.conclude
	p.held, p.conclude = nil, nil
	x.mu.Unlock()
	for _, deliver := range held {
		deliver(req)
	}
	if conclude != nil {
		conclude(req)
		return
	}
	req.OnCancel(func() { x.abandon(errCancelled) })
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
	if x.parked != nil {
		x.parked.cancel()
	}
	how(req)
}

// deliver hands a notification to the request that waits for the answer, or
// keeps it for the one that will.
func (x *exchange) deliver(send func(req *session.Request)) {
	x.mu.Lock()
	req := x.req
	if req == nil && len(x.parked.held) < maxHeld {
		x.parked.held = append(x.parked.held, send)
	}
	x.mu.Unlock()
	if req != nil && !req.Ended() {
		send(req)
	}
}

// withdraw ends the open questions of a call that is over.
func (x *exchange) withdraw() {
	for _, q := range x.way.link.of(x) {
		if x.way.link.forget(q) {
			q.unask(x.client())
			// A server that still runs is not left waiting.
			q.answer(q.author(peer.Error, protocolError(protocol.CodeInternalError, "the call is over")))
		}
	}
	if x.parked != nil {
		x.mu.Lock()
		x.parked.pending = nil
		x.mu.Unlock()
	}
}

// refuseQuestions answers every open question of the call in the client's place.
func (x *exchange) refuseQuestions() {
	x.mu.Lock()
	open := x.parked.pending
	x.parked.pending = nil
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

// patient stops the watch over a call whose server waits for a person.
func (x *exchange) patient() {
	x.mu.Lock()
	watch := x.watch
	x.watch = nil
	x.mu.Unlock()
	x.server.deadlines.remove(watch)
}

// impatient watches a call again once the server waits for nobody. q was
// answered or withdrawn.
func (x *exchange) impatient(*question) {
	if len(x.way.link.of(x)) > 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over && x.watch == nil && x.call != nil {
		x.watch = x.server.deadlines.add(x)
	}
}

// sameArguments reports whether a request that comes again is the same: its
// arguments mean the same, however they are written.
func sameArguments(before, again []byte) bool {
	a, _ := jsonrpc.Member(before, "arguments")
	b, _ := jsonrpc.Member(again, "arguments")
	return jsonrpc.Equal(a, b)
}
