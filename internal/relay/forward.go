package relay

import (
	"context"
	"log/slog"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// route is where a request goes.
type route struct {
	server *server
	name   string // the target as the server knows it
	rename bool   // params must get that name
}

// finding is the outcome of looking a route up.
type finding uint8

const (
	unknown finding = iota // nobody has it
	found
	gone    // it was offered, but its server is not there
	pending // it may be known when servers that start are ready
)

// forward relays a request to the server that it belongs to.
func (r *Relay) forward(req *session.Request, m jsonrpc.Message) {
	target := protocol.TargetOf(m.Method, m.Params)
	to, f := r.lookUp(m.Method, target)
	if f == pending || f == found && to.server.ready() == nil {
		// Only a call that has to wait pays for a goroutine.
		go func() {
			later, g := r.awaitRoute(req.Context(), m.Method, target)
			r.dispatch(req, m, target, later, g)
		}()
		return
	}
	r.dispatch(req, m, target, to, f)
}

// awaitRoute looks a route up until it leads to a server that is ready.
func (r *Relay) awaitRoute(ctx context.Context, method string, target protocol.Target) (to route, f finding) {
	r.waitUntil(ctx, func() bool {
		to, f = r.lookUp(method, target)
		return f != pending && (f != found || to.server.ready() != nil || to.server.failing())
	})
	return to, f
}

// dispatch starts the exchange, or refuses the request.
func (r *Relay) dispatch(req *session.Request, m jsonrpc.Message, target protocol.Target, to route, f finding) {
	if f != found {
		r.refuse(req, missing(m.Method, target, f))
		return
	}
	l := to.server.ready()
	if l == nil {
		r.refuse(req, executionFailed("The server is not available; the request was not sent."))
		return
	}
	params := m.Params
	if to.rename {
		params = target.Rename(params, to.name)
	}
	r.begin(req, to.server, l, to.name, params).run()
}

// missing returns the refusal for a request that leads nowhere.
func missing(method string, target protocol.Target, f finding) refusal {
	switch {
	case f == gone:
		return executionFailed("The server is not available; the request was not sent.")
	case method == protocol.ToolsCall:
		return notFound("There is no such tool, or it is not offered.")
	case method == protocol.PromptsGet, method == protocol.CompletionComplete && target.Kind == protocol.PromptTarget:
		return notFound("There is no such prompt, or it is not offered.")
	case target.Kind == protocol.ResourceTarget:
		return notFound("There is no such resource, or it is not offered.")
	default:
		return refusal{code: protocol.CodeMethodNotFound, text: "method not found"}
	}
}

// lookUp finds the server that a request belongs to: by name, URI or task id,
// else the one server that advertises the extension.
func (r *Relay) lookUp(method string, target protocol.Target) (route, finding) {
	switch target.Kind {
	case protocol.ToolTarget:
		to, f := r.byPublicName(registry.Tools, target.Value)
		if f == unknown && method != protocol.ToolsCall {
			to, f = r.byPublicName(registry.Prompts, target.Value)
		}
		if f != unknown || method == protocol.ToolsCall {
			return to, r.orPending(f)
		}
	case protocol.PromptTarget:
		to, f := r.byPublicName(registry.Prompts, target.Value)
		return to, r.orPending(f)
	case protocol.ResourceTarget:
		if to, ok := r.registry.Owner(target.Value); ok {
			return route{server: r.byName[to.Server], name: target.Value}, found
		}
		return route{}, r.orPending(unknown)
	case protocol.TaskTarget:
		if s := r.tasks.owner(target.Value); s != nil {
			return route{server: s, name: target.Value}, found
		}
	case protocol.NoTarget:
	}
	return r.byExtension(method)
}

func (r *Relay) byPublicName(k registry.Kind, public string) (route, finding) {
	if to, ok := r.registry.Route(k, public); ok {
		return route{server: r.byName[to.Server], name: to.Name, rename: to.Name != public}, found
	}
	if owner, ok := r.registry.Former(k, public); ok {
		if s := r.byName[owner]; s != nil && s.failing() {
			return route{}, gone
		}
	}
	return route{}, unknown
}

// orPending turns unknown into pending while servers start: a call to a server
// that is still starting waits for it.
func (r *Relay) orPending(f finding) finding {
	if f == unknown && !r.settled() {
		return pending
	}
	return f
}

// byExtension finds the one server whose capabilities name what the method
// belongs to: its first part, or an extension that it begins with.
func (r *Relay) byExtension(method string) (route, finding) {
	var only *server
	area, _, _ := strings.Cut(method, "/")
	area = strings.TrimPrefix(area, "notifications/")
	for _, s := range r.servers {
		if l := s.ready(); l != nil && l.advertises(method, area) {
			if only != nil {
				return route{}, unknown
			}
			only = s
		}
	}
	if only == nil {
		return route{}, r.orPending(unknown)
	}
	return route{server: only}, found
}

// setLevel passes the log level that a client wants on to every server that
// logs.
func (c *Client) setLevel(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	level := stringMember(m.Params, "level")
	if !protocol.LogLevel(level) {
		r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeInvalidParams, "unknown log level")))
		return
	}
	params := append([]byte(`{"level":`), jsonrpc.AppendString(nil, level)...)
	cleared := r.author(peer.Params, protocol.SetLevel, append(params, '}'))
	for _, s := range r.servers {
		if l := s.ready(); l != nil && l.capable("logging") {
			// Its answer says nothing that the client could use.
			l.conn.Call(cleared, func(peer.Reply) {})
		}
	}
	r.answer(req, r.author(peer.Result, m.Method, []byte("{}")))
}

// forwardNotification relays a notification of a client to the server that it
// belongs to. One that belongs to nobody is dropped.
func (r *Relay) forwardNotification(sess *session.Session, m jsonrpc.Message) {
	target := protocol.TargetOf(m.Method, m.Params)
	to, f := r.lookUp(strings.TrimPrefix(m.Method, "notifications/"), target)
	l := (*link)(nil)
	if f == found {
		l = to.server.ready()
	}
	if l == nil {
		r.log.Debug("a notification of the client belongs to no server")
		return
	}
	params := m.Params
	if to.rename {
		params = target.Rename(params, to.name)
	}
	client, version := sess.Client()
	s := &scan.Subject{
		Part: peer.Params, Hidden: to.server.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.Notification, Kind: verdict.JSON, Data: params,
			Origin: verdict.Origin{
				Session: sess.ID(), Principal: sess.Principal(), Client: client, Server: to.server.cfg.Name,
				Method: m.Method, Target: to.name, ProtocolVersion: version,
			},
		},
	}
	place := to.server.outLane.reserve()
	r.gate.Judge(context.Background(), s, func(d scan.Decision) {
		to.server.outLane.fill(place, func() {
			if d.Outcome != scan.Passed {
				return
			}
			if err := l.conn.Notify(d.Cleared); err != nil {
				r.log.Debug("a notification did not reach its server", slog.Any("error", err))
			}
		})
	})
}
