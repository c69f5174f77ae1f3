package relay

import (
	"context"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/session"
)

// route is where a request goes.
type route struct {
	server *server
	name   string // the target as the server knows it
	rename bool   // params must get that name
	// unheard says that the server did not announce that it knows the method.
	unheard bool
	// mirrors are the arguments that HTTP headers repeat.
	mirrors []protocol.Mirror
	// repeatable says that the tool only reads, and does the same each time, as
	// its definition says that people agreed to.
	repeatable bool
	link       *link // nil while the server takes no calls
	epoch      int64 // of the catalogues by which the route was found
}

// open reports whether the route still leads where it did when it was found.
func (to *route) open() bool {
	return to.server.ready() == to.link && to.server.relay.epoch.Load() == to.epoch
}

// finding is the outcome of looking a route up.
type finding uint8

const (
	unknown finding = iota // nobody has it
	found
	gone    // it was offered, but its server is not there
	pending // it may be known when servers that start are ready
)

// forward relays a request to the server that it belongs to. When only is not
// empty, that must be the server of that name: the request brings a state that
// is for no other.
func (r *Relay) forward(req *session.Request, m jsonrpc.Message, only string) {
	target := protocol.TargetOf(m.Method, m.Params)
	principal := req.Session().Principal()
	to, f := r.find(principal, m.Method, target)
	if f == pending || f == found && to.link == nil {
		// Only a call that has to wait pays for a goroutine.
		go func() {
			later, g := r.awaitRoute(req.Context(), principal, m.Method, target)
			r.dispatch(req, m, target, later, g, only)
		}()
		return
	}
	r.dispatch(req, m, target, to, f, only)
}

// awaitRoute looks a route up until it leads to a server that is ready.
func (r *Relay) awaitRoute(ctx context.Context, principal, method string, target protocol.Target) (to route, f finding) {
	r.waitUntil(ctx, func() bool {
		to, f = r.find(principal, method, target)
		return f != pending && (f != found || to.link != nil || to.server.failing())
	})
	return to, f
}

// dispatch starts the exchange, or refuses the request.
func (r *Relay) dispatch(req *session.Request, m jsonrpc.Message, target protocol.Target, to route, f finding, only string) {
	if f == found && (only != "" && to.server.cfg.Name != only || r.sneaks(to.server, m.Method, m.Params)) {
		f = unknown
	}
	if f != found {
		r.refuse(req, missing(m.Method, target, f))
		return
	}
	if to.link == nil {
		r.refuse(req, unavailable())
		return
	}
	if got := req.Session().Mirrored(); got != nil && m.Method == protocol.ToolsCall {
		if err := protocol.CheckMirrors(to.mirrors, m.Params, got); err != nil {
			r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeHeaderMismatch, err.Error())))
			return
		}
	}
	params := m.Params
	if to.rename {
		params = target.Rename(params, to.name)
	}
	r.begin(req, to, target, params).run()
}

// missing returns the refusal for a request that leads nowhere.
func missing(method string, target protocol.Target, f finding) refusal {
	switch {
	case f == gone:
		return unavailable()
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

// find looks a route up together with the connection that it leads to, as they
// are at one moment: a connection that has just become ready may offer less than
// the one before.
func (r *Relay) find(principal, method string, target protocol.Target) (route, finding) {
	for {
		epoch := r.epoch.Load()
		to, f := r.lookUp(principal, method, target)
		if f != found {
			return to, f
		}
		to.link, to.epoch = to.server.ready(), epoch
		if r.epoch.Load() == epoch {
			return to, f
		}
	}
}

// lookUp finds the server that a request belongs to: by name, URI or task id,
// else the one server that advertises the extension.
func (r *Relay) lookUp(principal, method string, target protocol.Target) (route, finding) {
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
			return r.leading(route{name: target.Value}, to.Server)
		}
		return r.unlisted(target.Value)
	case protocol.TaskTarget:
		if s := r.tasks.owner(target.Value, principal); s != nil && !s.left.Load() {
			return route{server: s, name: target.Value}, found
		}
		return route{}, unknown
	case protocol.NoTarget:
	}
	return r.byExtension(method, target)
}

// unlisted finds the server of a resource that nobody lists: results of tools
// may name such resources. An only server gets all of them but what was withheld
// from it; with several, nobody can tell whose they are.
func (r *Relay) unlisted(uri string) (route, finding) {
	s := r.only()
	if _, withheld := r.registry.Claimant(uri); withheld || s == nil {
		return route{}, r.orPending(unknown)
	}
	if r.registry.Keeps(s.cfg.Name, uri) {
		return route{}, unknown // in another spelling
	}
	if l := s.current.Load(); l == nil || !l.capable(registry.Resources.Capability()) {
		return route{}, r.orPending(unknown)
	}
	return route{server: s, name: uri}, found
}

// offersAll reports whether there is one server and nothing of it is withheld:
// then no method, however it names things, reaches what must not be reached.
func (r *Relay) offersAll() bool {
	if s := r.only(); s == nil || s.ready() == nil {
		return false
	}
	for _, k := range registry.Kinds {
		for _, e := range r.registry.Entries(k) {
			if e.State != registry.Offered && e.State != registry.Hidden {
				return false
			}
		}
	}
	return true
}

func (r *Relay) byPublicName(k registry.Kind, public string) (route, finding) {
	if to, ok := r.registry.Route(k, public); ok {
		return r.leading(route{name: to.Name, rename: to.Name != public, mirrors: to.Mirrors, repeatable: to.Repeatable}, to.Server)
	}
	if owner, ok := r.registry.Former(k, public); ok {
		if s := r.named(owner); s != nil && s.failing() {
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
// belongs to: its first part, or an extension that it begins with. What names
// something that nobody offers goes to no other server.
func (r *Relay) byExtension(method string, target protocol.Target) (route, finding) {
	var only *server
	area, _, _ := strings.Cut(method, "/")
	switch area {
	case registry.Tools.Capability(), registry.Prompts.Capability(), registry.Resources.Capability():
		// What is not offered is not reached by a method that nobody knows either.
		return route{}, r.orPending(unknown)
	}
	for _, s := range r.servers() {
		if l := s.ready(); l != nil && l.advertises(method, area) {
			if only != nil {
				return route{}, unknown
			}
			only = s
		}
	}
	if s := r.only(); only == nil && s != nil && target.Kind == protocol.NoTarget && r.offersAll() {
		// An only server gets what nobody knows, and says so if it does not either.
		return route{server: s, unheard: true}, found
	}
	if only == nil {
		return route{}, r.orPending(unknown)
	}
	return route{server: only}, found
}
