package relay

import (
	"strings"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// hub knows which client wants to hear of which changes, and so which resources
// each server is asked to watch.
type hub struct {
	mu      sync.Mutex
	watched map[resource]map[subscriber]struct{}
	listens map[*listen]struct{}
}

// resource is a resource of a server.
type resource struct{ server, uri string }

// subscriber is who hears of changes of a resource: a session of the legacy
// era or a subscription of the modern one.
type subscriber interface {
	Notify(c peer.Cleared) error
}

// maxWatched bounds the resources that one subscriber may watch.
const maxWatched = 1000

// watch notes that sub wants to hear of a resource. first says that nobody did
// before; ok is false above the limit.
func (h *hub) watch(res resource, sub subscriber) (first, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs := h.watched[res]
	if _, known := subs[sub]; known {
		return false, true
	}
	n := 0
	for _, others := range h.watched {
		if _, too := others[sub]; too {
			n++
		}
	}
	if n >= maxWatched {
		return false, false
	}
	if subs == nil {
		if h.watched == nil {
			h.watched = map[resource]map[subscriber]struct{}{}
		}
		subs = map[subscriber]struct{}{}
		h.watched[res] = subs
	}
	subs[sub] = struct{}{}
	return len(subs) == 1, true
}

// unwatch ends that, and reports whether nobody watches the resource any more.
func (h *hub) unwatch(res resource, sub subscriber) (last bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs := h.watched[res]
	if _, known := subs[sub]; !known {
		return len(subs) == 0
	}
	delete(subs, sub)
	if len(subs) == 0 {
		delete(h.watched, res)
		return true
	}
	return false
}

// leave ends everything that sub watches, and returns what nobody watches any
// more.
func (h *hub) leave(sub subscriber) []resource {
	h.mu.Lock()
	defer h.mu.Unlock()
	var idle []resource
	for res, subs := range h.watched {
		if _, known := subs[sub]; !known {
			continue
		}
		delete(subs, sub)
		if len(subs) == 0 {
			delete(h.watched, res)
			idle = append(idle, res)
		}
	}
	return idle
}

// of returns the resources of a server that somebody watches.
func (h *hub) of(server string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var uris []string
	for res := range h.watched {
		if res.server == server {
			uris = append(uris, res.uri)
		}
	}
	return uris
}

// watchers returns who watches a resource of a server: under this URI, or under
// that of something that it is a part of (MCP 2025-11-25, resources,
// subscriptions).
func (h *hub) watchers(server, uri string) []subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	var subs []subscriber
	for sub := range h.watched[resource{server, uri}] {
		subs = append(subs, sub)
	}
	if subs != nil {
		return subs
	}
	seen := map[subscriber]bool{}
	for res, others := range h.watched {
		if res.server != server || !strings.HasPrefix(uri, res.uri) {
			continue
		}
		for sub := range others {
			if !seen[sub] {
				seen[sub] = true
				subs = append(subs, sub)
			}
		}
	}
	return subs
}

// updated passes on that a resource of the server changed.
func (s *server) updated(m jsonrpc.Message) {
	uri := stringMember(m.Params, "uri")
	subs := s.relay.hub.watchers(s.cfg.Name, uri)
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
func (x *exchange) subscription() bool {
	r, req := x.relay, x.client()
	res := resource{x.server.cfg.Name, x.target.Value}
	switch {
	case x.method == protocol.Subscribe && x.way.link.modern():
		if _, ok := r.hub.watch(res, req.Session()); !ok {
			x.finish(refusal{code: protocol.CodeInvalidParams, text: "too many resources are watched"})
			return true
		}
		wake(x.way.link.relisten)
	case x.method == protocol.Unsubscribe:
		last := r.hub.unwatch(res, req.Session())
		if last && !x.way.link.modern() {
			return false
		}
		wake(x.way.link.relisten)
	default:
		return false
	}
	x.conclude(func(req *session.Request) { r.answer(req, r.author(peer.Result, x.method, []byte("{}"))) })
	return true
}

// subscribed notes a subscription that a legacy server granted.
func (x *exchange) subscribed(req *session.Request) {
	if x.method == protocol.Subscribe {
		x.relay.hub.watch(resource{x.server.cfg.Name, x.target.Value}, req.Session())
	}
}

// leave ends what a session or subscription watches.
func (r *Relay) leave(sub subscriber) {
	for _, res := range r.hub.leave(sub) {
		s := r.byName[res.server]
		l := s.current.Load()
		switch {
		case l == nil:
		case l.modern():
			wake(l.relisten)
		default:
			l.start(protocol.Unsubscribe, uriParams(res.uri))
		}
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
