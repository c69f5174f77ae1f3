package relay

import (
	"log/slog"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// inputRequired takes the answer of a modern server that wants to know
// something of the client first. s is the answer as the gate would get it.
func (x *exchange) inputRequired(in protocol.Input, err error, s *scan.Subject) {
	if err != nil || !parks(x.method) {
		x.relay.log.Warn("a server wants input in a way that the protocol does not have",
			slog.String("server", x.server.cfg.Name), slog.Any("error", err))
		x.failed(peer.ErrBadAnswer)
		return
	}
	able := x.capabilities
	if req := x.client(); req != nil && !req.Modern() {
		able = protocol.CapabilitiesOf(req.Sender().Capabilities)
	}
	for i := range in.Requests {
		q := &in.Requests[i]
		switch {
		case !x.server.cfg.MayAsk.Allows(q.Method, q.Params):
			x.finish(executionFailed("The server asked the client for something that it may not ask."))
			return
		case !able.Allows(q.Method, q.Params):
			x.finish(executionFailed("The server asked the client for something that the client cannot do."))
			return
		}
		if x.relay.several() {
			q.Params = x.server.provenance(q.Method, q.Params)
		}
	}
	if x.relay.several() {
		s.Content.Data = protocol.WithInputRequired(s.Content.Data, in)
	}
	s.Content.Phase = verdict.ServerRequest
	x.judgeAnswer(s, func(d scan.Decision) {
		if d.Outcome != scan.Passed {
			x.finish(judged(&d, verdict.ServerRequest))
			return
		}
		// Read again, because the verdict may have redacted it.
		in, _, err := protocol.InputRequired(d.Cleared.Body())
		if err != nil {
			x.failed(peer.ErrBadAnswer)
			return
		}
		if req := x.client(); req != nil && !req.Modern() {
			x.interview(req, in)
			return
		}
		x.conclude(func(req *session.Request) { x.relay.answer(req, x.passOn(req, in, d.Cleared)) })
	})
}

// provenance says in a server's request which server asks, where a client could
// take it for another.
func (s *server) provenance(method string, params []byte) []byte {
	marked := bridge.Provenance(s.cfg.Name, method, params)
	if s.cfg.MayAsk.Has(protocol.SamplingContext) && method == protocol.CreateMessage {
		if context, ok := jsonrpc.Member(params, "includeContext"); ok {
			marked = jsonrpc.SetMember(marked, "includeContext", context)
		}
	}
	return marked
}

// passOn returns a modern server's questions for a modern client. The server's
// state goes inside the relay's, so that it is good for this client only.
func (x *exchange) passOn(req *session.Request, in protocol.Input, c peer.Cleared) peer.Cleared {
	if !in.HasState {
		return c
	}
	payload := append([]byte(x.server.cfg.Name+"\x00"), in.State...)
	state := x.relay.sealer.Seal(x.relay.binding(bridge.State, req, x.target), payload, stateTTL)
	return x.relay.author(peer.Result, x.method, jsonrpc.SetMember(c.Body(), "requestState", jsonrpc.AppendString(nil, state)))
}

// stateTTL is how long a modern server's state is good for. The server has its
// own idea of that, which is usually shorter.
const stateTTL = 24 * time.Hour

// serverState opens the state that a request brings back to a modern server.
func (r *Relay) serverState(req *session.Request, target protocol.Target, sealed string) (server, state string, ok bool) {
	payload, err := r.sealer.Open(r.binding(bridge.State, req, target), sealed)
	if err != nil {
		return "", "", false
	}
	for i, c := range payload {
		if c == 0 {
			return string(payload[:i]), string(payload[i+1:]), true
		}
	}
	return "", "", false
}

// Pauses between rounds in which the server asks nothing but to come again.
const (
	firstRound = 100 * time.Millisecond
	longRound  = 5 * time.Second
)

// interview asks a client of the legacy era what a modern server wants to know,
// and sends the request again with the answers.
func (x *exchange) interview(req *session.Request, in protocol.Input) {
	x.mu.Lock()
	x.rounds++
	rounds := x.rounds
	x.mu.Unlock()
	if rounds > x.relay.opts.MaxInputRounds {
		x.finish(executionFailed("The server asked the client for input too many times."))
		return
	}
	if len(in.Requests) == 0 {
		time.AfterFunc(min(firstRound<<min(rounds-1, 10), longRound), func() { x.again(req, in, nil) })
		return
	}
	round := &round{exchange: x, req: req, in: in, answers: make([][]byte, len(in.Requests)), open: len(in.Requests)}
	req.OnCancel(round.withdraw)
	for i := range in.Requests {
		if round.isOver() {
			return // cancelled, or an answer came that ends it
		}
		q := &in.Requests[i]
		c := x.relay.author(peer.Params, q.Method, q.Params)
		asked, err := req.Session().Ask(req, c, func(reply peer.Reply) { round.answered(i, reply) })
		if err != nil {
			x.relay.log.Debug("a server's request did not reach its client", slog.Any("error", err))
			round.failed()
			return
		}
		round.note(asked)
	}
}

// round is a set of questions that a client of the legacy era answers one by
// one.
type round struct {
	exchange *exchange
	req      *session.Request
	in       protocol.Input

	mu      sync.Mutex
	answers [][]byte
	open    int
	asked   []*session.Question
	over    bool
}

// note takes a question that was asked, which a round that is over takes back.
func (r *round) note(q *session.Question) {
	r.mu.Lock()
	r.asked = append(r.asked, q)
	over := r.over
	r.mu.Unlock()
	if over {
		r.withdraw()
	}
}

func (r *round) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// answered takes the answer to one question; the last one ends the round.
func (r *round) answered(i int, reply peer.Reply) {
	result := reply.Result
	if result != nil && protocol.CheckAnswer(r.in.Requests[i].Method, result) != nil {
		r.failed()
		return
	}
	if result == nil {
		if r.in.Requests[i].Method != protocol.Elicit || reply.Err != nil {
			r.failed()
			return
		}
		// There is no error among the answers of the modern era.
		result = []byte(`{"action":"cancel"}`)
	}
	r.mu.Lock()
	r.answers[i] = result
	r.open--
	last := r.open == 0 && !r.over
	r.over = r.over || last
	r.mu.Unlock()
	if !last {
		return
	}
	responses := make([]protocol.InputResponse, len(r.answers))
	for i, a := range r.answers {
		responses[i] = protocol.InputResponse{Key: r.in.Requests[i].Key, Result: a}
	}
	r.exchange.again(r.req, r.in, responses)
}

// failed ends the round without an answer.
func (r *round) failed() {
	r.withdraw()
	r.exchange.finish(executionFailed("The server asked the client for something that the client could not answer."))
}

// withdraw takes the open questions back.
func (r *round) withdraw() {
	r.mu.Lock()
	asked := r.asked
	r.asked, r.over = nil, true
	r.mu.Unlock()
	for _, q := range asked {
		if q.Withdraw() {
			_ = r.req.Notify(r.exchange.relay.cancelled(q.ID()))
		}
	}
}

// again sends the request once more, as a new request, with the client's
// answers and the state that the server gave. All of it is judged.
func (x *exchange) again(req *session.Request, in protocol.Input, responses []protocol.InputResponse) {
	if req.Ended() {
		return
	}
	x.mu.Lock()
	x.call, x.over, x.watch = nil, false, nil
	x.mu.Unlock()
	x.subject.Content.Data = protocol.WithInput(x.subject.Content.Data, responses, in.State, in.HasState)
	x.run()
}
