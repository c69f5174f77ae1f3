package registry

import (
	"bytes"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Route is where a public name leads.
type Route struct {
	Server string
	Name   string // as the server knows it
	State  State
	// Mirrors are the tool's arguments that are repeated in HTTP headers. They
	// must not be changed.
	Mirrors []protocol.Mirror
	// Repeatable: see Item.
	Repeatable bool
}

// view is what clients see of one kind. Only its pages are made later than
// itself, each when somebody asks for it first.
type view struct {
	kind    Kind
	entries []Entry
	listed  []int // the entries that clients see
	routes  map[string]Route
	ttl     time.Duration
	meta    []byte
	pages   pages
	kept    map[string]*kept // by server: what clients do not get, see Keeps
	// Of resources and templates only:
	withheld map[target]bool // canonical URIs that are kept from clients
	reaches  []ownReach      // of templates
	shown    bool            // a client has seen it
}

func (v *view) offer(e *Entry, public string) {
	e.Public = public
	v.routes[public] = Route{Server: e.Server, Name: e.Name, State: e.State, Mirrors: e.Mirrors, Repeatable: e.Repeatable}
}

// sameAs reports whether clients see the same in both views.
func (v *view) sameAs(w *view) bool {
	if len(v.listed) != len(w.listed) {
		return false
	}
	for i := range v.listed {
		a, b := &v.entries[v.listed[i]], &w.entries[w.listed[i]]
		if a.Server != b.Server || a.Name != b.Name || a.Public != b.Public || a.State != b.State || !bytes.Equal(a.Raw, b.Raw) {
			return false
		}
	}
	return true
}

// adopt takes over what was rendered of a view that clients see alike.
func (v *view) adopt(w *view) {
	if v.ttl == w.ttl {
		v.pages = w.pages
	}
}

// hiddenMark tells clients, in a definition's _meta, that nobody judged it.
const hiddenMark = "mcp-relay/hidden_mode"

// definition returns the item as clients see it: its bytes but for the name
// and, in hidden mode, the mark.
func (v *view) definition(e *Entry) []byte {
	raw := e.Raw
	if e.Public != e.Name {
		raw = jsonrpc.SetMember(raw, facts[v.kind].key, jsonrpc.AppendString(nil, e.Public))
	}
	if e.State == Hidden {
		meta, ok := jsonrpc.Member(raw, "_meta")
		if !ok || len(meta) == 0 || meta[0] != '{' {
			meta = []byte("{}")
		}
		raw = jsonrpc.SetMember(raw, "_meta", jsonrpc.SetMember(meta, hiddenMark, []byte("true")))
	}
	return raw
}

// Route returns where a public name leads. ok is false when no item has it.
func (r *Registry) Route(k Kind, public string) (Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	route, ok := r.shown(k).routes[public]
	return route, ok
}

// Former returns the server to which a public name once belonged.
func (r *Registry) Former(k Kind, public string) (server string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	owner, ok := r.owner[k][public]
	return owner.server, ok
}
