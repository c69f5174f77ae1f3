package relay

import (
	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// again takes a request that a modern client sends again, with answers.
func (r *Relay) again(req *session.Request, m jsonrpc.Message, sealed string) {
	target := protocol.TargetOf(m.Method, m.Params)
	if r.takeUp(req, m, target, sealed) {
		return
	}
	server, state, ok := r.serverState(req, target, sealed)
	if !ok {
		r.unknownState(req)
		return
	}
	m.Params = jsonrpc.SetMember(m.Params, "requestState", jsonrpc.AppendString(nil, state))
	r.forward(req, m, server)
}

// unknownState answers a request whose state is not known, whatever the reason.
func (r *Relay) unknownState(req *session.Request) {
	r.answer(req, r.author(peer.Error, req.Method(),
		protocolError(protocol.CodeInvalidParams, "unknown requestState: send the request without it")))
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
	// The same arguments, however they are written.
	if arguments, _ := jsonrpc.Member(m.Params, "arguments"); !jsonrpc.Equal(x.parked.arguments, arguments) {
		x.forgotten()
		return false
	}
	subject := &scan.Subject{Part: peer.Params, Hidden: x.subject.Hidden, Content: x.subject.Content}
	subject.Content.Data = protocol.StripMeta(m.Params)
	subject.Content.Origin.Session = req.Session().Conversation()
	r.gate.Judge(req.Context(), subject, func(d scan.Decision) {
		if d.Outcome != scan.Passed {
			r.refuse(req, judged(&d, verdict.Request))
			x.forgotten()
			return
		}
		x.resume(req, d.Cleared.Body())
	})
	return true
}

// resume hands the client's answers to the server. params were judged.
func (x *exchange) resume(req *session.Request, params []byte) {
	answers, _ := protocol.InputResponses(params)
	p := x.parked
	var told, open []pendingQuestion
	x.mu.Lock()
	for _, w := range p.pending {
		if a, ok := answers[w.question.key]; ok && protocol.CheckAnswer(w.question.method, a) == nil {
			told = append(told, w)
		} else {
			open = append(open, w)
		}
	}
	p.pending = open
	x.token, _ = protocol.ProgressToken(params)
	x.mu.Unlock()
	x.attach(req)
	for _, w := range told {
		if w.question.link.questions.claim(w.question) {
			w.question.answer(w.question.author(peer.Result, answers[w.question.key]))
		}
	}
	x.suspend(req) // what is open still, or is not answered well, is asked again
}

// attach makes req the request that waits for the call's answer, once it was
// handed what came meanwhile: what comes later follows that.
func (x *exchange) attach(req *session.Request) {
	p := x.parked
	for {
		x.mu.Lock()
		held, conclude := p.held, p.conclude
		p.held = nil
		if len(held) == 0 {
			x.req, p.conclude = req, nil
		}
		x.mu.Unlock()
		for _, deliver := range held {
			deliver(req)
		}
		switch {
		case len(held) > 0:
		case conclude != nil:
			p.cancel()
			conclude(req)
			return
		default:
			req.OnCancel(func() { x.abandon(errCancelled) })
			return
		}
	}
}
