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
)

// exchange is one request on its way to a server and back. Its methods are the
// steps, in the order in which they stand here; each runs once.
type exchange struct {
	relay   *Relay
	req     *session.Request
	server  *server
	way     route
	target  protocol.Target // as the client named it
	number  int64
	subject scan.Subject
	token   []byte // the client's progress token; nil when it wants no progress
	lane    lane   // notifications of this call, in order

	mu    sync.Mutex
	call  peer.Call     // nil until it was sent
	over  bool          // answered, failed or abandoned
	watch *list.Element // of the server's deadlines
}

// begin prepares an exchange of req on its way to a server. params are as the
// server will get them, but for the progress token.
func (r *Relay) begin(req *session.Request, to route, target protocol.Target, params []byte) *exchange {
	s := to.server
	x := &exchange{relay: r, req: req, server: s, way: to, target: target, number: r.nextCall()}
	if token, ok := protocol.ProgressToken(params); ok {
		// Two clients may choose the same token, so a server sees the relay's.
		x.token = token
		params = protocol.SetProgressToken(params, strconv.AppendInt(nil, x.number, 10))
	}
	sess := req.Session()
	client, version := sess.Client()
	x.subject = scan.Subject{
		Part: peer.Params, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.Request, Kind: verdict.JSON, Data: params,
			Origin: verdict.Origin{
				Session: sess.ID(), Principal: sess.Principal(), Client: client, Server: s.cfg.Name,
				Method: req.Method(), Target: to.name, ProtocolVersion: version, Call: callName(x.number),
			},
		},
	}
	return x
}

// run judges the request.
func (x *exchange) run() {
	x.relay.gate.Judge(x.req.Context(), &x.subject, x.requestJudged)
}

// requestJudged sends the request when it passed.
func (x *exchange) requestJudged(d scan.Decision) {
	if d.Outcome != scan.Passed {
		x.relay.refuse(x.req, judged(&d, verdict.Request))
		return
	}
	if x.req.Ended() {
		return // cancelled while it was judged: it never leaves
	}
	x.subject.Content.Data = d.Cleared.Body()
	if !x.way.open() {
		go x.sendLater(d.Cleared)
		return
	}
	x.send(d.Cleared)
}

// sendLater sends a request whose server changed or ended while the request was
// judged, when the server takes calls and still offers what is called.
func (x *exchange) sendLater(c peer.Cleared) {
	to, f := x.relay.awaitRoute(x.req.Context(), x.req.Method(), x.target)
	switch {
	case f == found && to.link != nil && to.server == x.server && to.name == x.way.name:
		x.way = to
		x.send(c)
	case x.server.ready() == nil:
		x.relay.refuse(x.req, unavailable())
	default:
		x.relay.refuse(x.req, missing(x.req.Method(), x.target, unknown))
	}
}

// send sends the request, once.
func (x *exchange) send(c peer.Cleared) {
	if x.token != nil {
		x.server.follow(x)
	}
	x.server.calls.Add(1)
	call := x.way.link.conn.Call(c, x.answered)
	x.mu.Lock()
	x.call = call
	if !x.over {
		x.watch = x.server.deadlines.add(x)
	}
	x.mu.Unlock()
	// Registered last: it runs at once when the request was cancelled already.
	x.req.OnCancel(func() { x.abandon(errCancelled) })
}

// abandon gives the call up and tells the server.
func (x *exchange) abandon(why error) {
	x.mu.Lock()
	call, over := x.call, x.over
	x.mu.Unlock()
	if over || call == nil {
		return
	}
	call.Abandon(why)
	params := append([]byte(`{"requestId":`), call.ID().Raw()...)
	// The client's reason is text for a person and does not go along.
	_ = x.way.link.conn.Notify(x.relay.author(peer.Params, protocol.Cancelled, append(params, '}')))
}

// answered judges what the server answered, together with the request.
func (x *exchange) answered(reply peer.Reply) {
	x.mu.Lock()
	x.over = true
	watch := x.watch
	x.mu.Unlock()
	x.server.calls.Add(-1)
	x.server.deadlines.remove(watch)
	if x.token != nil {
		x.server.unfollow(x)
	}
	if reply.Err != nil {
		x.failed(reply.Err)
		return
	}
	request := x.subject.Content
	s := &scan.Subject{Part: peer.Result, Hidden: x.subject.Hidden, Content: request}
	s.Content.Phase, s.Content.Data, s.Content.Request = verdict.Response, reply.Result, request.Data
	if reply.Error != nil {
		s.Part, s.Content.Data = peer.Error, reply.Error
	}
	// The lanes are read now: notifications that come later do not hold the answer.
	told, progressed := x.server.lane.last(), x.lane.last()
	x.relay.gate.Judge(x.req.Context(), s, func(d scan.Decision) {
		x.server.lane.after(told, func() { x.lane.after(progressed, func() { x.answerJudged(&d) }) })
	})
}

// failed tells the client that there is no answer.
func (x *exchange) failed(err error) {
	var text string
	switch {
	case errors.Is(err, errCancelled):
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
	x.relay.refuse(x.req, executionFailed(text))
}

// answerJudged answers the client.
func (x *exchange) answerJudged(d *scan.Decision) {
	if d.Outcome != scan.Passed {
		x.relay.refuse(x.req, judged(d, verdict.Response))
		return
	}
	if d.Cleared.Part() == peer.Result {
		x.relay.tasks.learn(d.Cleared.Body(), x.server)
	}
	x.relay.answer(x.req, d.Cleared)
}

// progress passes on a progress notification of the server for this call.
func (x *exchange) progress(params []byte) {
	s := &scan.Subject{Part: peer.Params, Hidden: x.subject.Hidden, Content: x.subject.Content}
	s.Content.Phase = verdict.Notification
	s.Content.Request = nil
	s.Content.Origin.Method = protocol.Progress
	s.Content.Data = jsonrpc.SetMember(params, "progressToken", x.token)
	place := x.lane.reserve()
	x.relay.gate.Judge(x.req.Context(), s, func(d scan.Decision) {
		x.lane.fill(place, func() {
			if d.Outcome == scan.Passed && !x.req.Ended() {
				_ = x.req.Session().Notify(d.Cleared) // a client that is gone needs no progress
			}
		})
	})
}
