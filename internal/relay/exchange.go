package relay

import (
	"container/list"
	"errors"
	"strconv"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Why the relay gives up a call.
var (
	errTimeout   = errors.New("the server did not answer in time")
	errCancelled = errors.New("the client cancelled the request")
	errForgotten = errors.New("the client did not come back with the answers to the server's questions")
)

// exchange is one request on its way to a server and back. Its methods are the
// steps, in the order in which they stand here. Where the server asks the
// client something, steps are taken again: see rounds.go for a server of the
// modern era, question.go and park.go for one of the legacy era.
type exchange struct {
	relay   *Relay
	server  *server
	way     route
	target  protocol.Target // as the client named it
	method  string
	number  int64
	subject scan.Subject
	lane    lane   // what the server says during this call, in order
	herald  herald // has that judged
	// early is set before the call is sent, if that is before its verdict; nil: it
	// is not.
	early *early

	watches  resource // that the request is to watch, or to watch no more
	watching bool     // the client did not watch it before

	mu     sync.Mutex
	req    *session.Request // whoever waits for the answer; nil while the call is parked
	token  []byte           // the client's progress token; nil when it wants no progress
	call   peer.Call        // nil until it was sent
	over   bool             // answered, failed or abandoned
	watch  *list.Element    // of the server's deadlines
	asking int              // questions that a person may be answering
	rounds int              // how often the client was told or asked what the server wants to know
	// parked is for a client of the modern era and a server of the legacy one;
	// nil: no question can come that has to wait for another request.
	parked       *parked
	capabilities protocol.CapabilitySet // of a client of the modern era
}

// begin prepares an exchange of req on its way to a server. params are as the
// server will get them, but for what the era and the progress token change.
func (r *Relay) begin(req *session.Request, to route, target protocol.Target, params []byte) *exchange {
	s := to.server
	x := &exchange{relay: r, req: req, server: s, way: to, target: target, method: req.Method(), number: r.nextCall()}
	x.herald.gate, x.herald.lane = r.gate, &x.lane
	params = x.adapt(req, params)
	if token, ok := protocol.ProgressToken(params); ok {
		// Two clients may choose the same token, so a server sees the relay's.
		x.token = token
		params = protocol.SetProgressToken(params, strconv.AppendInt(nil, x.number, 10))
	}
	x.subject = scan.Subject{
		Part: peer.Params, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.Request, Kind: verdict.JSON, Data: params,
			Origin: origin(req, s, to.name, x.number),
		},
	}
	return x
}

// origin says where the content of a request comes from and goes to.
func origin(req *session.Request, s *server, target string, number int64) verdict.Origin {
	sess, sender := req.Session(), req.Sender()
	return verdict.Origin{
		Session: sess.Conversation(), Principal: sess.Principal(), Client: sender.Name, Server: s.cfg.Name,
		Method: req.Method(), Target: target, ProtocolVersion: sender.Version, Call: callName(number),
	}
}

// client returns the request that waits for the answer; nil while the call is
// parked.
func (x *exchange) client() *session.Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.req
}

// run judges the request.
func (x *exchange) run() {
	if x.overlaps() {
		x.runEarly()
		return
	}
	x.relay.gate.Judge(x.context(), &x.subject, x.requestJudged)
}

// requestJudged sends the request when it passed.
func (x *exchange) requestJudged(d scan.Decision) {
	req := x.client()
	if d.Outcome != scan.Passed {
		x.finish(judged(&d, verdict.Request))
		return
	}
	if req.Ended() {
		return // cancelled while it was judged: it never leaves
	}
	x.subject.Content.Data = d.Cleared.Body()
	if x.method == protocol.Subscribe || x.method == protocol.Unsubscribe {
		if x.subscription(req) {
			return
		}
	}
	if !x.way.open() {
		go x.sendLater(d.Cleared)
		return
	}
	x.send(d.Cleared)
}

// sendLater sends a request whose server changed, ended or was configured anew
// while the request was judged, when the server takes calls and still offers
// what is called. The verdict is for a server of that name, hidden or not.
func (x *exchange) sendLater(c peer.Cleared) {
	to, f := x.relay.awaitRoute(x.context(), x.subject.Content.Origin.Principal, x.method, x.target)
	switch {
	case f == found && to.link != nil && to.server.follows(x.server) && to.name == x.way.name && to.link.modern() == x.way.link.modern():
		x.way, x.server = to, to.server
		x.send(c)
	case x.server.ready() == nil, f == found:
		x.finish(unavailable())
	default:
		x.finish(missing(x.method, x.target, unknown))
	}
}

// send sends the request, once.
func (x *exchange) send(c peer.Cleared) {
	if !x.sent(c) {
		go x.sendLater(c)
	}
}

// sent sends the request unless the server takes no more calls.
func (x *exchange) sent(c peer.Cleared) bool {
	if !x.server.begun(x) {
		return false
	}
	call := x.way.link.conn.Call(c, x)
	x.mu.Lock()
	x.call = call
	if !x.over && x.asking == 0 {
		x.watch = x.server.deadlines.add(x)
	}
	req := x.req
	x.mu.Unlock()
	if req != nil {
		// Registered last: it runs at once when the request was cancelled already.
		req.OnCancel(func() { x.abandon(errCancelled) })
	}
	return true
}

// abandon gives the call up and tells the server.
func (x *exchange) abandon(why error) {
	x.mu.Lock()
	call, over := x.call, x.over
	x.mu.Unlock()
	x.withdraw()
	if over || call == nil {
		return
	}
	call.Abandon(why)
	// The client's reason is text for a person and does not go along.
	_ = x.way.link.conn.Notify(x.relay.cancelled(call.ID()))
}

// Request implements peer.Caller.
func (x *exchange) Request(m jsonrpc.Message) { x.way.link.receiver.request(m, x) }

// Notification implements peer.Caller.
func (x *exchange) Notification(m jsonrpc.Message) { x.way.link.receiver.notification(m, x) }

// Answered implements peer.Caller: it judges what the server answered, together
// with the request.
func (x *exchange) Answered(reply peer.Reply) {
	x.mu.Lock()
	x.over = true
	watch, req := x.watch, x.req
	x.watch = nil
	x.mu.Unlock()
	x.server.ended(x, watch)
	x.withdraw()
	if reply.Err != nil {
		x.failed(reply.Err)
		return
	}
	if reply.Error == nil {
		x.learnTask(reply.Result)
	}
	s := x.answerSubject(&reply)
	// A parked call's client speaks the modern era.
	modern := req == nil || req.Modern()
	if x.wants(&reply, s, modern) {
		return
	}
	x.adaptAnswer(&reply, s, modern)
	x.judgeAnswer(s, x.answerJudged)
}

// answerSubject returns what the gate judges of an answer.
func (x *exchange) answerSubject(reply *peer.Reply) *scan.Subject {
	request := x.subject.Content
	s := &scan.Subject{Part: peer.Result, Hidden: x.subject.Hidden, Content: request, Until: x.until()}
	s.Content.Phase, s.Content.Data, s.Content.Request = verdict.Response, protocol.SafeResult(reply.Result), request.Data
	if reply.Error != nil {
		s.Part, s.Content.Data = peer.Error, reply.Error
	}
	return s
}

// judgeAnswer has an answer judged, and hands the decision on when everything
// that the server said before it was delivered.
func (x *exchange) judgeAnswer(s *scan.Subject, then func(d scan.Decision)) {
	// The lanes are read now: notifications that come later do not hold the answer.
	told, progressed := x.server.lane.last(), x.lane.last()
	if told == nil && progressed == nil {
		x.relay.gate.Judge(x.context(), s, then)
		return
	}
	x.relay.gate.Judge(x.context(), s, func(d scan.Decision) {
		x.server.lane.after(told, func() { x.lane.after(progressed, func() { then(d) }) })
	})
}

// failed tells the client that there is no answer.
func (x *exchange) failed(err error) {
	if x.way.unheard && errors.Is(err, peer.ErrStatus) {
		// Some servers refuse a method that they do not know before they read it.
		x.finish(missing(x.method, x.target, unknown))
		return
	}
	var text string
	switch {
	case errors.Is(err, errCancelled), errors.Is(err, errForgotten), errors.Is(err, errRefused):
		x.dropped()
		return
	case errors.Is(err, errTimeout):
		text = "The server did not answer in time."
	case errors.Is(err, peer.ErrBusy):
		text = "The server does not take more requests; this one was not sent."
	case errors.Is(err, peer.ErrNotSent):
		text = "The server cannot be reached; the request was not sent."
	case errors.Is(err, peer.ErrTooLong):
		text = "The server's answer is longer than the relay takes."
	case errors.Is(err, peer.ErrBadAnswer):
		text = "The server's answer was not a valid message."
	case errors.Is(err, peer.ErrStatus):
		text = "The server refused the request."
	default:
		text = "The server ended before it answered. The request may have taken effect."
	}
	x.finish(executionFailed(text))
}

// answerJudged answers the client.
func (x *exchange) answerJudged(d scan.Decision) {
	if d.Outcome != scan.Passed {
		x.finish(judged(&d, verdict.Response))
		return
	}
	answer, granted := x.marked(&d), d.Cleared.Part() == peer.Result
	x.watched(granted)
	if req := x.last(); req != nil {
		if !granted {
			x.server.elicitations.demanded(answer.Body(), req.Session())
		}
		x.relay.answer(req, answer)
		return
	}
	x.conclude(func(req *session.Request) { x.relay.answer(req, answer) })
}

// finish ends the exchange with a refusal.
func (x *exchange) finish(f refusal) {
	x.settled(func() {
		x.watched(false)
		x.conclude(func(req *session.Request) { x.relay.refuse(req, f) })
	})
}

// dropped ends what belongs to a call that nobody waits for any more.
func (x *exchange) dropped() {
	x.watched(false)
	x.release()
}

// isOver reports whether the server has answered, or the call was given up.
func (x *exchange) isOver() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.over
}
