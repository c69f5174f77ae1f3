package relay

import (
	"context"
	"slices"
	"sync"

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

	mu    sync.Mutex
	open  bool           // it was acknowledged: nothing precedes that
	early []peer.Cleared // what came before
}

var _ subscriber = (*listen)(nil)

// Notify implements subscriber.
func (l *listen) Notify(c peer.Cleared) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		if len(l.early) < maxHeld {
			l.early = append(l.early, c)
		}
		return nil
	}
	return l.send(c)
}

// send sends a notification as one of the subscription. l.mu is held.
func (l *listen) send(c peer.Cleared) error {
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
		object := protocolError(protocol.CodeInvalidParams, "the subscription's filter is not valid")
		r.answer(req, r.author(peer.Error, req.Method(), object))
		return
	}
	l := &listen{relay: r, req: req, filter: filter}
	l.filter.Tasks = slices.DeleteFunc(l.filter.Tasks, func(id string) bool { return !l.owns(id) })
	if len(filter.URIs) == 0 {
		l.begin()
		return
	}
	go func() {
		l.filter.URIs = l.watch()
		l.begin()
	}()
}

// begin acknowledges the subscription: from then on the client hears of changes.
func (l *listen) begin() {
	l.mu.Lock()
	l.relay.hub.add(l)
	params := append([]byte(`{"notifications":`), l.filter.Append(nil)...)
	params = protocol.SetSubscriptionID(append(params, '}'), l.req.ID())
	l.relay.reached(l.req.Notify(l.relay.author(peer.Params, protocol.Acknowledged, params)))
	l.open = true
	for _, c := range l.early {
		l.relay.reached(l.send(c))
	}
	l.early = nil
	l.mu.Unlock()
	if len(l.filter.Tasks) > 0 {
		l.relay.relisten()
	}
	l.req.OnCancel(l.close)
}

// owns reports whether a task of some modern server is the client's.
func (l *listen) owns(task string) bool {
	s := l.relay.tasks.owner(task, l.req.Session().Principal())
	if s == nil {
		return false
	}
	way := s.ready()
	return way != nil && way.modern()
}

// follows reports whether the subscription is for the changes of a task that is
// the client's.
func (l *listen) follows(task string, owners map[string]bool) bool {
	return owners[l.req.Session().Principal()] && slices.Contains(l.filter.Tasks, task)
}

// relisten has the relay's own subscriptions at modern servers made anew.
func (r *Relay) relisten() {
	for _, s := range r.servers() {
		if l := s.current.Load(); l != nil && l.modern() {
			wake(l.relisten)
		}
	}
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
		passed, err := protocol.FilterOf(d.Cleared.Body())
		if err != nil {
			continue
		}
		watched = append(watched, l.watchAt(ctx, s, way, passed.URIs)...)
	}
	// In the client's order, as it asked: a redacted URI is another one.
	return slices.DeleteFunc(slices.Clone(l.filter.URIs), func(uri string) bool { return !slices.Contains(watched, uri) })
}

// watchAt has one server watch some resources.
func (l *listen) watchAt(ctx context.Context, s *server, way *link, uris []string) []string {
	var watched []string
	for _, uri := range uris {
		res := resource{s.cfg.Name, uri}
		if _, ok := l.relay.hub.watch(res, l); !ok {
			break
		}
		if !way.modern() {
			callCtx, cancel := context.WithTimeoutCause(ctx, listTimeout, errTimeout)
			reply, err := way.call(callCtx, protocol.Subscribe, uriParams(uri))
			cancel()
			if err != nil || reply.Error != nil {
				l.relay.unwatch(res, l)
				continue
			}
		}
		watched = append(watched, uri)
	}
	if way.modern() {
		wake(way.relisten)
	}
	return watched
}

// changedMethod names the notification about each kind of list.
var changedMethod = [...]string{
	registry.Tools:     protocol.ToolsListChanged,
	registry.Prompts:   protocol.PromptsListChanged,
	registry.Resources: protocol.ResourcesListChanged,
	registry.Templates: protocol.ResourcesListChanged,
}
