package registry

import (
	"bytes"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Route is where a public name leads.
type Route struct {
	Server string
	Name   string // as the server knows it
	State  State
}

// view is what clients see of one kind. It is built once and never changed.
type view struct {
	kind    Kind
	entries []Entry
	routes  map[string]Route
	// withheld has what a server lists and a verdict, or the lack of one, keeps.
	withheld map[target]bool
	page     []byte // the list result
	shown    bool   // a client has seen it
}

func (v *view) sameAs(w *view) bool { return bytes.Equal(v.page, w.page) }

// render makes the list result. It is made once per change, not per request.
func (v *view) render() {
	size := 64
	for i := range v.entries {
		size += len(v.entries[i].Raw) + 64
	}
	page := make([]byte, 0, size)
	page = append(page, '{')
	page = jsonrpc.AppendString(page, v.kind.Member())
	page = append(page, ":["...)
	first := true
	for i := range v.entries {
		e := &v.entries[i]
		if e.Public == "" {
			continue
		}
		if !first {
			page = append(page, ',')
		}
		first = false
		page = append(page, v.definition(e)...)
	}
	v.page = append(page, "]}"...)
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

// Page returns the list result of a kind, as raw JSON. It holds nothing but
// definitions that may be offered. It must not be changed.
func (r *Registry) Page(k Kind) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shown(k).page
}

// Route returns where a public name leads. ok is false when no item has it.
func (r *Registry) Route(k Kind, public string) (Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	route, ok := r.shown(k).routes[public]
	return route, ok
}

// Owner returns the server that a URI belongs to: the first configured one
// that lists it or has a template whose literal beginning it has. The text of a
// template belongs to whoever has the template. What a server lists and was
// withheld is not reached through its templates either.
func (r *Registry) Owner(uri string) (Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	resources, templates := r.shown(Resources), r.shown(Templates)
	best, found := resources.routes[uri]
	for i := range templates.entries {
		e := &templates.entries[i]
		if found && r.position(e.Server) >= r.position(best.Server) {
			break // entries stand in configuration order
		}
		if e.Public == "" || resources.withheld[target{e.Server, uri}] || templates.withheld[target{e.Server, uri}] {
			continue
		}
		prefix, ok := literalPrefix(e.Name)
		if uri == e.Name || ok && strings.HasPrefix(uri, prefix) {
			return Route{Server: e.Server, Name: uri, State: e.State}, true
		}
	}
	return best, found
}

func (r *Registry) position(server string) int { return slices.Index(r.order, server) }

// literalPrefix returns what stands before the first expression of a URI
// template. A template that fixes less than a scheme and something behind it
// would match other servers' URIs and is not routed.
func literalPrefix(template string) (string, bool) {
	prefix, _, _ := strings.Cut(template, "{")
	scheme, rest, ok := strings.Cut(prefix, ":")
	if !ok || scheme == "" || strings.Trim(rest, "/") == "" {
		return "", false
	}
	return prefix, true
}

// Former returns the server to which a public name once belonged.
func (r *Registry) Former(k Kind, public string) (server string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	owner, ok := r.owner[k][public]
	return owner.server, ok
}
