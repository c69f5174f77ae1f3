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

	// asked is how a client of the legacy era knows it; nil until it was sent.
	// The link's lock guards it.
	asked *session.Question
}

// maxQuestions bounds the questions of one connection that wait for an answer.
const maxQuestions = 64

// ask begins a question. x is the call that it belongs to, or nil: then it is
// for the one client that it can be for, and refused when there are several.
func (h *receiver) ask(l *link, m jsonrpc.Message, x *exchange) {
	s := h.server
	q := &question{link: l, id: m.ID, method: m.Method, exchange: x}
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
	if !l.register(q) {
		h.Anomaly("too_many_requests")
		h.refuseServer(l, m, protocol.CodeInvalidRequest, "the request id is already in use, or too many requests wait")
		return
	}
	params := m.Params
	if s.relay.several() {
		params = s.provenance(m.Method, params)
	}
	subject := &scan.Subject{
		Part: peer.Params, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.ServerRequest, Kind: verdict.JSON, Data: params,
			Origin: verdict.Origin{Server: s.cfg.Name, Method: m.Method, ProtocolVersion: l.version},
		},
	}
	ctx, where := context.Background(), &s.lane
	if x != nil {
		subject.Content.Origin = x.subject.Content.Origin
		subject.Content.Origin.Method = m.Method
		ctx, where = x.context(), &x.lane
		x.patient()
	} else {
		subject.Content.Origin.Session, subject.Content.Origin.Principal = q.session.ID(), q.session.Principal()
	}
	place := where.reserve()
	s.relay.gate.Judge(ctx, subject, func(d scan.Decision) {
		where.fill(place, func() { q.judged(&d) })
	})
}

// attribute finds the client for a question that came on a stream of no call:
// the only call in flight, else the only client there is. A guess would show
// one client's business to another.
func (s *server) attribute(q *question) bool {
	x, sess := s.onlyCaller()
	switch {
	case x != nil:
		q.exchange = x
	case sess != nil:
		q.session = sess
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
	asked, err := sess.Ask(of, c, func(reply peer.Reply) {
		if q.link.forget(q) {
			q.answered(sess, reply)
		}
	})
	if err != nil {
		q.log().Debug("a server's request did not reach its client", slog.Any("error", err))
		q.refused(protocolError(protocol.CodeInternalError, "the client cannot be asked now"))
		return
	}
	q.link.mu.Lock()
	q.asked = asked
	_, open := q.link.questions[q.id]
	q.link.mu.Unlock()
	if !open {
		q.unask(of) // withdrawn while it was sent
	}
}

// answered judges what the client answered, as a request, and answers the
// server.
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
	s := q.link.receiver.server
	sender := sess.Sender()
	subject := &scan.Subject{
		Part: part, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.Request, Kind: verdict.JSON, Data: data,
			Origin: verdict.Origin{
				Session: sess.ID(), Principal: sess.Principal(), Client: sender.Name, Server: s.cfg.Name,
				Method: q.method, ProtocolVersion: sender.Version,
			},
		},
	}
	s.relay.gate.Judge(context.Background(), subject, func(d scan.Decision) {
		if d.Outcome == scan.Passed {
			q.answer(d.Cleared)
			return
		}
		f := judged(&d, verdict.Request)
		q.answer(q.author(peer.Error, f.errorObject()))
	})
}

// refused answers the server in place of the client.
func (q *question) refused(errorObject []byte) {
	if q.link.forget(q) {
		q.answer(q.author(peer.Error, errorObject))
	}
}

// answer answers the server. The question must have been forgotten.
func (q *question) answer(c peer.Cleared) {
	if err := q.link.conn.Answer(q.id, c); err != nil {
		q.log().Debug("an answer did not reach its server", slog.Any("error", err))
	}
	if q.exchange != nil {
		q.exchange.impatient(q)
	}
}

// unask tells the client that nobody waits for its answer any more.
func (q *question) unask(of *session.Request) {
	q.link.mu.Lock()
	asked := q.asked
	q.link.mu.Unlock()
	if asked == nil || !asked.Withdraw() {
		return
	}
	params := append([]byte(`{"requestId":`), asked.ID().Raw()...)
	c := q.link.receiver.server.relay.author(peer.Params, protocol.Cancelled, append(params, '}'))
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
	return q.link.receiver.server.relay.author(part, q.method, body)
}

func (q *question) log() *slog.Logger { return q.link.receiver.server.relay.log }

// register notes a question of the server. It reports false when the server
// uses its id already, or asks too much at a time.
func (l *link) register(q *question) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.questions[q.id] != nil || len(l.questions) >= maxQuestions {
		return false
	}
	if l.questions == nil {
		l.questions = map[jsonrpc.ID]*question{}
	}
	l.questions[q.id] = q
	return true
}

// forget ends a question, and reports whether it was open: whoever ends it
// answers the server.
func (l *link) forget(q *question) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.questions[q.id] != q {
		return false
	}
	delete(l.questions, q.id)
	return true
}

// withdrawn ends a question because the server takes it back.
func (l *link) withdrawn(id jsonrpc.ID) {
	l.mu.Lock()
	q := l.questions[id]
	delete(l.questions, id)
	l.mu.Unlock()
	if q == nil {
		return
	}
	var of *session.Request
	if q.exchange != nil {
		of = q.exchange.client()
		q.exchange.impatient(q)
	}
	q.unask(of)
}

// of returns the open questions of a call.
func (l *link) of(x *exchange) []*question {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*question
	for _, q := range l.questions {
		if q.exchange == x {
			all = append(all, q)
		}
	}
	return all
}
