package relay

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// updated passes on that a resource of the server changed.
func (s *server) updated(m jsonrpc.Message) {
	subs := s.relay.hub.watchers(s.cfg.Name, jsonrpc.StringMember(m.Params, "uri"))
	if len(subs) == 0 {
		return // an update that crossed the end of its subscription
	}
	s.tell(m, func(c peer.Cleared) {
		for _, sub := range subs {
			s.relay.reached(sub.Notify(c))
		}
	})
}

// subscription settles a request of a legacy client to watch a resource, or to
// watch it no more, that a server need not or cannot get as it is. It reports
// false when the request has to be sent.
func (x *exchange) subscription(req *session.Request) bool {
	r, modern := x.relay, x.way.link.modern()
	x.watches = resource{x.server.cfg.Name, jsonrpc.StringMember(x.subject.Content.Data, "uri")}
	if x.method == protocol.Unsubscribe {
		if last := r.hub.unwatch(x.watches, req.Session()); last && !modern {
			return false
		}
	} else {
		// The hub knows it before the server does: whoever is the last to leave
		// meanwhile is not the last.
		added, ok := r.hub.watch(x.watches, req.Session())
		if !ok {
			x.finish(refusal{code: protocol.CodeInvalidParams, text: "too many resources are watched"})
			return true
		}
		x.watching = added
		if req.Ended() {
			x.watched(false) // the session may have left already
			return true
		}
		if !modern {
			return false
		}
	}
	if modern {
		wake(x.way.link.relisten)
	}
	x.conclude(func(req *session.Request) { r.answer(req, r.author(peer.Result, x.method, []byte("{}"))) })
	return true
}

// watched takes the end of a request to watch a resource, or to watch it no
// more: what the server did not grant is not watched.
func (x *exchange) watched(granted bool) {
	switch {
	case x.watching && !granted:
		x.watching = false
		x.relay.unwatch(x.watches, x.client().Session())
	case x.method == protocol.Unsubscribe && x.watches.server != "":
		x.server.rewatch(x.way.link, x.watches)
	}
}

// unwatch ends that sub watches a resource.
func (r *Relay) unwatch(res resource, sub subscriber) {
	if r.hub.unwatch(res, sub) {
		r.idle(res)
	}
}

// leave ends everything that sub watches.
func (r *Relay) leave(sub subscriber) {
	for _, res := range r.hub.leave(sub) {
		r.idle(res)
	}
}

// idle has a server watch a resource no more that nobody wants to hear of.
func (r *Relay) idle(res resource) {
	var l *link
	s := r.named(res.server)
	if s != nil {
		l = s.current.Load()
	}
	switch {
	case l == nil:
	case l.modern():
		wake(l.relisten)
	default:
		_, answer := l.start(protocol.Unsubscribe, uriParams(res.uri))
		go func() {
			select {
			case <-answer:
				s.rewatch(l, res)
			case <-l.conn.Done():
			}
		}()
	}
}

// rewatch has a server watch a resource again that somebody began to watch while
// the server was told to stop: it may have heard the two in either order.
func (s *server) rewatch(l *link, res resource) {
	if !l.modern() && s.relay.hub.isWatched(res) {
		l.start(protocol.Subscribe, uriParams(res.uri))
	}
}

// resubscribe has a server that was connected anew watch what it watched
// before.
func (s *server) resubscribe(l *link) {
	if l.modern() {
		return // see keepListening
	}
	for _, uri := range s.relay.hub.of(s.cfg.Name) {
		l.start(protocol.Subscribe, uriParams(uri))
	}
}

func uriParams(uri string) []byte {
	return append(jsonrpc.AppendString([]byte(`{"uri":`), uri), '}')
}
