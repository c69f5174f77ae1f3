package relay

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// listen is a subscription of a modern client (MCP 2026-07-28, subscriptions).
type listen struct {
	relay  *Relay
	req    *session.Request
	filter protocol.Filter

	mu sync.Mutex // held while the subscription is acknowledged: nothing precedes that
}

var _ subscriber = (*listen)(nil)

// Notify implements subscriber.
func (l *listen) Notify(c peer.Cleared) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	params := protocol.SetSubscriptionID(c.Body(), l.req.ID())
	return l.req.Notify(l.relay.author(peer.Params, c.Method(), params)) //nolint:wrapcheck // the sink's own error
}

// wants reports whether the subscription is for a change of lists.
func (l *listen) wants(method string) bool {
	switch method {
	case protocol.ToolsListChanged:
		return l.filter.Tools
	case protocol.PromptsListChanged:
		return l.filter.Prompts
	case protocol.ResourcesListChanged:
		return l.filter.Resources
	default:
		return false
	}
}

// listen opens a subscription of a modern client.
func (c *Client) listen(req *session.Request, params []byte) {
	r := c.relay
	filter, err := protocol.FilterOf(params)
	if err != nil || len(filter.URIs) > maxWatched {
		r.answer(req, r.author(peer.Error, req.Method(), protocolError(protocol.CodeInvalidParams, "the subscription's filter is not valid")))
		return
	}
	l := &listen{relay: r, req: req, filter: filter}
	if len(filter.URIs) == 0 {
		l.open()
		return
	}
	go func() {
		l.filter.URIs = l.watch()
		l.open()
	}()
}

// open acknowledges the subscription: from then on the client hears of changes.
func (l *listen) open() {
	l.filter.Tasks = nil
	l.mu.Lock()
	l.relay.hub.add(l)
	params := append([]byte(`{"notifications":`), l.filter.Append(nil)...)
	params = protocol.SetSubscriptionID(append(params, '}'), l.req.ID())
	l.relay.reached(l.req.Notify(l.relay.author(peer.Params, protocol.Acknowledged, params)))
	l.mu.Unlock()
	l.req.OnCancel(l.close)
}

// close ends what the subscription takes of the servers.
func (l *listen) close() {
	l.relay.hub.remove(l)
	l.relay.leave(l)
}

// end ends the subscription in order, because the relay ends.
func (l *listen) end() {
	l.close()
	body := protocol.SetSubscriptionID([]byte(`{"resultType":"complete"}`), l.req.ID())
	l.relay.answer(l.req, l.relay.author(peer.Result, protocol.Listen, body))
}

// watch has the servers watch the resources that the client named, and returns
// those that they do watch. What is sent to a server is judged for it.
func (l *listen) watch() []string {
	ways := map[*server][]string{}
	ctx := l.req.Context()
	for _, uri := range l.filter.URIs {
		target := protocol.Target{Kind: protocol.ResourceTarget, Value: uri}
		if to, f := l.relay.awaitRoute(ctx, l.req.Session().Principal(), protocol.ResourcesRead, target); f == found && to.link != nil {
			ways[to.server] = append(ways[to.server], uri)
		}
	}
	var watched []string
	for s, uris := range ways {
		way := s.ready()
		if way == nil {
			continue
		}
		only := protocol.Filter{URIs: uris}
		d := s.await(ctx, &scan.Subject{
			Part: peer.Params, Hidden: s.cfg.Hidden,
			Content: verdict.Content{
				Phase: verdict.Request, Kind: verdict.JSON, Data: append(only.Append([]byte(`{"notifications":`)), '}'),
				Origin: origin(l.req, s, "", l.relay.nextCall()),
			},
		})
		if d.Outcome != scan.Passed {
			continue
		}
		watched = append(watched, l.watchAt(ctx, s, way, uris)...)
	}
	// In the client's order, as it asked.
	return slices.DeleteFunc(slices.Clone(l.filter.URIs), func(uri string) bool { return !slices.Contains(watched, uri) })
}

// watchAt has one server watch some resources.
func (l *listen) watchAt(ctx context.Context, s *server, way *link, uris []string) []string {
	var watched []string
	for _, uri := range uris {
		res := resource{s.cfg.Name, uri}
		if !way.modern() {
			callCtx, cancel := context.WithTimeoutCause(ctx, listTimeout, errTimeout)
			reply, err := way.call(callCtx, protocol.Subscribe, uriParams(uri))
			cancel()
			if err != nil || reply.Error != nil {
				continue
			}
		}
		if _, ok := l.relay.hub.watch(res, l); ok {
			watched = append(watched, uri)
		}
	}
	if way.modern() {
		wake(way.relisten)
	}
	return watched
}

func (h *hub) add(l *listen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listens == nil {
		h.listens = map[*listen]struct{}{}
	}
	h.listens[l] = struct{}{}
}

func (h *hub) remove(l *listen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listens, l)
}

// listening returns the subscriptions that a predicate holds for.
func (h *hub) listening(want func(l *listen) bool) []*listen {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []*listen
	for l := range h.listens {
		if want(l) {
			all = append(all, l)
		}
	}
	return all
}

// heard is the relay's own subscription at a modern server.
type heard struct {
	*receiver

	acknowledged chan struct{} // one element when the server has acknowledged it
	ended        chan peer.Reply
}

var _ peer.Caller = (*heard)(nil)

// Answered implements peer.Caller.
func (h *heard) Answered(r peer.Reply) { h.ended <- r }

// Notification implements peer.Caller.
func (h *heard) Notification(m jsonrpc.Message) {
	if m.Method == protocol.Acknowledged {
		wake(h.acknowledged)
		return
	}
	h.receiver.Notification(m)
}

// Pauses of keepListening.
const (
	// ackWait is how long the subscription before lasts beside a new one.
	ackWait   = 2 * time.Second
	minListen = time.Second
	maxListen = 30 * time.Second
)

// keepListening keeps a subscription open at a modern server for as long as the
// connection lasts: to its lists, and to the resources that clients watch.
func (s *server) keepListening(ctx context.Context, l *link) {
	var before peer.Call
	for pause := minListen; ctx.Err() == nil; {
		h := &heard{receiver: l.receiver, acknowledged: make(chan struct{}, 1), ended: make(chan peer.Reply, 1)}
		filter := protocol.Filter{Tools: true, Prompts: true, Resources: true, URIs: s.relay.hub.of(s.cfg.Name)}
		params := append(filter.Append([]byte(`{"notifications":`)), '}')
		start := time.Now()
		call := l.conn.Call(s.relay.author(peer.Params, protocol.Listen, l.ownParams(params)), h)
		if before != nil {
			select {
			case <-h.acknowledged:
			case <-time.After(ackWait):
			case <-ctx.Done():
			case <-l.conn.Done():
			}
			s.unlisten(l, before)
		}
		before = call
		select {
		case reply := <-h.ended:
			before = nil
			if reply.Error != nil && methodNotFound(reply.Error) {
				return // it announces nothing
			}
			if time.Since(start) > maxListen {
				pause = minListen
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			case <-l.conn.Done():
				return
			}
			pause = min(2*pause, maxListen)
			l.again() // what changed meanwhile was not heard
		case <-l.relisten:
		case <-ctx.Done():
		case <-l.conn.Done():
			return
		}
	}
}

// unlisten ends one of the relay's own subscriptions.
func (s *server) unlisten(l *link, call peer.Call) {
	call.Abandon(errCancelled)
	params := append([]byte(`{"requestId":`), call.ID().Raw()...)
	_ = l.conn.Notify(s.relay.author(peer.Params, protocol.Cancelled, append(params, '}')))
}

// changedMethod names the notification about each kind of list.
var changedMethod = [...]string{
	registry.Tools:     protocol.ToolsListChanged,
	registry.Prompts:   protocol.PromptsListChanged,
	registry.Resources: protocol.ResourcesListChanged,
	registry.Templates: protocol.ResourcesListChanged,
}
