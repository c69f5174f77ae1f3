package relay

import (
	"errors"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// A call of a tool that only reads, of a server that the configuration names, may
// be sent while its request is judged. Then all that the server says during the
// call waits for that verdict, in the call's lane and at the gate, and so does
// whatever the relay itself would answer. When the verdict refuses the request,
// what waits is dropped, the server is told that the call is cancelled, and the
// client gets the answer that it would have got otherwise.

// errRefused says that a verdict refused a call that had been sent already.
var errRefused = errors.New("the request was refused")

// early is what a call keeps that was sent before its verdict.
type early struct {
	place  *slot // first in the call's lane: nothing is delivered before it is filled
	done   chan struct{}
	passed bool // once done is closed
}

// cleared waits for the verdict and reports whether the request passed.
func (e *early) cleared() bool {
	<-e.done
	return e.passed
}

// until returns on what the messages of the server during this call wait at the
// gate; nil: on nothing.
func (x *exchange) until() func() bool {
	if x.early == nil {
		return nil
	}
	return x.early.cleared
}

// settled runs then when the request's verdict is in: at once, unless it was
// sent before. After a refusal it does not run.
func (x *exchange) settled(then func()) {
	if x.early == nil {
		then()
		return
	}
	x.lane.after(x.early.place, then)
}

// learnTask remembers the task that a result announces: now, as the server may
// speak of the task before the answer was judged.
func (x *exchange) learnTask(result []byte) {
	if x.early == nil { // nothing is allocated for the usual call
		x.relay.tasks.learn(result, x.server, x.subject.Content.Origin.Principal)
		return
	}
	x.settled(func() { x.relay.tasks.learn(result, x.server, x.subject.Content.Origin.Principal) })
}

// overlaps reports whether the request may be sent before its verdict. What
// answers a question, or continues or begins a task, is not.
func (x *exchange) overlaps() bool {
	if !x.server.cfg.Overlap || !x.way.repeatable || x.method != protocol.ToolsCall || x.hasRounds() {
		return false
	}
	for _, name := range [...]string{"task", "requestState", "inputResponses"} {
		if _, there := jsonrpc.Member(x.subject.Content.Data, name); there {
			return false
		}
	}
	return true
}

func (x *exchange) hasRounds() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rounds > 0
}

// runEarly judges the request, and sends it meanwhile.
func (x *exchange) runEarly() {
	x.relay.gate.JudgeEarly(x.context(), &x.subject, x.sendEarly, x.judgedEarly)
}

// sendEarly sends the request before its verdict, if it can be sent now.
func (x *exchange) sendEarly(c peer.Cleared) bool {
	req := x.client()
	if req == nil || req.Ended() || !x.way.open() {
		return false
	}
	e := &early{place: x.lane.reserve(), done: make(chan struct{})}
	x.early = e // nobody knows the exchange yet
	if x.sent(c) {
		return true
	}
	x.early = nil
	x.lane.fill(e.place, func() {})
	return false
}

// judgedEarly lets through what the server said, or drops it. What was not sent
// after all takes the usual way.
func (x *exchange) judgedEarly(d scan.Decision) {
	e := x.early
	if e == nil {
		x.requestJudged(d)
		return
	}
	e.passed = d.Outcome == scan.Passed
	if e.passed {
		close(e.done)
		x.lane.fill(e.place, func() {})
		return
	}
	x.lane.shut()
	close(e.done)
	f := judged(&d, verdict.Request)
	x.conclude(func(req *session.Request) { x.relay.refuse(req, f) })
	x.abandon(errRefused)
}

// unsettled returns on what a message of the server that belongs to no call
// waits: the requests that were sent before their verdicts, as it may be about
// any of them. nil: there are none.
func (s *server) unsettled() func() bool {
	if !s.cfg.Overlap {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var waits []*early
	for _, x := range s.open {
		if x.early == nil {
			continue
		}
		select {
		case <-x.early.done:
		default:
			waits = append(waits, x.early)
		}
	}
	if waits == nil {
		return nil
	}
	return func() bool {
		all := true
		for _, e := range waits {
			all = e.cleared() && all
		}
		return all
	}
}
