package relay

import (
	"context"
	"log/slog"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// question is a request of a legacy server on its way to a client and back.
type question struct {
	link     *link
	id       jsonrpc.ID // the server's
	method   string
	exchange *exchange        // the call during which it was asked; nil: none
	session  *session.Session // whom it is for when there is no call
	key      string           // under which a client of the modern era answers it
	token    []byte           // under which the server wants to hear of progress; nil: it does not
	// waiting are the calls whose deadlines stand still meanwhile.
	waiting []*exchange

	// The lock of the link's questions guards these.
	claimed bool              // somebody answers it
	asked   *session.Question // how a client of the legacy era knows it; nil until it was sent
	to      *session.Session  // that client
}

// ask begins a question. x is the call that it belongs to, or nil: then it is
// for the one client that it can be for, and refused when there are several.
func (h *receiver) ask(l *link, m jsonrpc.Message, x *exchange) {
	s := h.server
	q := &question{link: l, id: m.ID, method: m.Method, exchange: x}
	q.token, _ = protocol.ProgressToken(m.Params)
	if x == nil && !s.attribute(q) {
		h.Anomaly("request_of_no_client")
		h.refuseServer(l, m, protocol.CodeInternalError, "the request belongs to no client")
		return
	}
	x = q.exchange
	if !s.cfg.MayAsk.Allows(m.Method, m.Params) {
		h.refuseServer(l, m, protocol.CodeMethodNotFound, "method not found")
		return
	}
	if x != nil {
		q.waiting = []*exchange{x}
	}
	for _, w := range q.waiting {
		w.patient()
	}
	if !l.questions.add(q) {
		q.ended()
		h.Anomaly("too_many_requests")
		h.refuseServer(l, m, protocol.CodeInvalidRequest, "the request id is already in use, or too many requests wait")
		return
	}
	ctx, where := context.Background(), &s.lane
	if x != nil {
		if x.isOver() {
			q.refused(protocolError(protocol.CodeInternalError, "the call is over"))
			return
		}
		ctx, where = x.context(), &x.lane
	}
	place := where.reserve()
	s.relay.gate.Judge(ctx, q.subject(m.Params), func(d scan.Decision) {
		where.fill(place, func() { q.judged(&d) })
	})
}

// subject returns what the gate judges of the question.
func (q *question) subject(params []byte) *scan.Subject {
	s := q.server()
	if s.relay.several() {
		params = s.provenance(q.method, params)
	}
	subject := &scan.Subject{
		Part: peer.Params, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.ServerRequest, Kind: verdict.JSON, Data: params,
			Origin: verdict.Origin{Server: s.cfg.Name, ProtocolVersion: q.link.version()},
		},
	}
	origin := &subject.Content.Origin
	if q.exchange != nil {
		subject.Until = q.exchange.until()
		*origin = q.exchange.subject.Content.Origin
	} else {
		subject.Until = s.unsettled()
		origin.Session, origin.Principal = q.session.Conversation(), q.session.Principal()
	}
	origin.Method = q.method
	return subject
}

// attribute finds the client for a question that came on a stream of no call:
// the only call in flight, else the only client there is. A guess would show
// one client's business to another.
func (s *server) attribute(q *question) bool {
	x, sess, theirs := s.onlyCaller()
	switch {
	case x != nil:
		q.exchange = x
	case sess != nil:
		// Any of the calls may be the one that waits for the answer.
		q.session, q.waiting = sess, theirs
	default:
		q.session = s.relay.onlyClient()
	}
	return q.exchange != nil || q.session != nil
}

// judged passes a question on that passed.
func (q *question) judged(d *scan.Decision) {
	if d.Outcome != scan.Passed {
		f := judged(d, verdict.ServerRequest)
		q.refused(f.errorObject())
		return
	}
	if !q.link.questions.isOpen(q) {
		return // it was withdrawn, or its call ended, while it was judged
	}
	if q.exchange == nil {
		q.put(q.session, nil, d.Cleared)
		return
	}
	switch req := q.exchange.client(); {
	case req == nil || req.Modern():
		q.exchange.park(q, d.Cleared)
	default:
		q.put(req.Session(), req, d.Cleared)
	}
}

// put asks a client of the legacy era.
func (q *question) put(sess *session.Session, of *session.Request, c peer.Cleared) {
	if !protocol.CapabilitiesOf(sess.Sender().Capabilities).Allows(q.method, c.Body()) {
		q.refused(protocolError(protocol.CodeMethodNotFound, "the client does not do this"))
		return
	}
	q.server().elicitations.learn(q.method, c.Body(), sess)
	asked, err := sess.Ask(of, c, func(reply peer.Reply) {
		if q.link.questions.claim(q) {
			q.answered(sess, reply)
		}
	})
	if err != nil {
		q.log().Debug("a server's request did not reach its client", slog.Any("error", err))
		q.refused(protocolError(protocol.CodeInternalError, "the client cannot be asked now"))
		return
	}
	if !q.link.questions.asked(q, sess, asked) {
		q.unask(of) // withdrawn while it was sent
	}
}

// answered judges what the client answered, as a request, and answers the
// server. The question must have been claimed.
func (q *question) answered(sess *session.Session, reply peer.Reply) {
	if reply.Err != nil {
		q.answer(q.author(peer.Error, protocolError(protocol.CodeInternalError, "the client is gone")))
		return
	}
	part, data := peer.Result, reply.Result
	if reply.Error != nil {
		part, data = peer.Error, reply.Error
	} else if err := protocol.CheckAnswer(q.method, data); err != nil {
		q.log().Warn("refused an answer of the client", slog.Any("error", err))
		q.answer(q.author(peer.Error, protocolError(protocol.CodeInternalError, "the client's answer is not valid")))
		return
	}
	s, sender := q.server(), sess.Sender()
	subject := &scan.Subject{
		Part: part, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.Request, Kind: verdict.JSON, Data: data,
			Origin: verdict.Origin{
				Session: sess.Conversation(), Principal: sess.Principal(), Client: sender.Name, Server: s.cfg.Name,
				Method: q.method, ProtocolVersion: sender.Version,
			},
		},
	}
	if q.exchange != nil {
		of := &q.exchange.subject.Content.Origin
		subject.Content.Origin.Target, subject.Content.Origin.Call = of.Target, of.Call
	}
	told := s.outLane.last() // progress that the client reported before
	s.relay.gate.Judge(context.Background(), subject, func(d scan.Decision) {
		s.outLane.after(told, func() {
			if d.Outcome == scan.Passed {
				q.answer(d.Cleared)
				return
			}
			f := judged(&d, verdict.Request)
			q.answer(q.author(peer.Error, f.errorObject()))
		})
	})
}

// refused answers the server in place of the client.
func (q *question) refused(errorObject []byte) {
	if q.link.questions.claim(q) {
		q.answer(q.author(peer.Error, errorObject))
	}
}

// answer answers the server, if it still waits. The question must have been
// claimed.
func (q *question) answer(c peer.Cleared) {
	if !q.link.questions.remove(q) {
		return
	}
	if err := q.link.conn.Answer(q.id, c); err != nil {
		q.log().Debug("an answer did not reach its server", slog.Any("error", err))
	}
	q.ended()
}

// ended lets the deadlines of the calls that waited go on.
func (q *question) ended() {
	for _, w := range q.waiting {
		w.impatient()
	}
}

// withdraw ends a question because the server takes it back or is gone.
func (q *question) withdraw() {
	if !q.link.questions.remove(q) {
		return
	}
	q.ended()
	var of *session.Request
	if q.exchange != nil {
		of = q.exchange.client()
	}
	q.unask(of)
}

// unask tells the client that nobody waits for its answer any more. of is the
// client's request to which the question belongs; nil: none.
func (q *question) unask(of *session.Request) {
	asked := q.link.questions.known(q)
	if asked == nil || !asked.Withdraw() {
		return
	}
	c := q.server().relay.cancelled(asked.ID())
	var err error
	if of != nil {
		err = of.Notify(c)
	} else if q.session != nil {
		err = q.session.Notify(c)
	}
	if err != nil {
		q.log().Debug("a withdrawn request was not announced", slog.Any("error", err))
	}
}

func (q *question) author(part peer.Part, body []byte) peer.Cleared {
	return q.server().relay.author(part, q.method, body)
}

func (q *question) server() *server { return q.link.receiver.server }

func (q *question) log() *slog.Logger { return q.server().relay.log }
