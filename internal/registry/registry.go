package registry

import (
	"slices"
	"sync"
)

// Options configure a registry.
type Options struct {
	Naming  Naming
	MaxName int // longest public name, in bytes
	// MaxTools bounds the items of each kind over all servers.
	MaxTools int
	// PageSize is how many items a page of a list has at most; zero: as many as
	// fit into maxPage bytes.
	PageSize int
	// ResultMeta is the _meta object of list results of the modern era, as raw
	// JSON; empty: they have none.
	ResultMeta []byte
}

// Registry is what the relay offers. Create it with New.
type Registry struct {
	opts Options

	mu      sync.Mutex
	order   []string // servers as configured
	servers map[string]*server
	// owner remembers for ever whom a public name belonged to when a client
	// could see it. Until then the configuration order decides.
	owner [kinds]map[string]target
	views [kinds]*view
	land  *territory // whose a URI is; nil: to be made anew
}

// target is what a public name stands for.
type target struct{ server, name string }

// server is one configured server's place in the registry.
type server struct {
	position int    // in the configuration; negative: it is there no more
	twin     string // equal for identically configured servers; empty: no twin
	items    [kinds][]Item
	hints    [kinds]hint
	owned    [kinds]int // public names that belong to it
	// claims are the URIs and templates that it listed last. They stay when the
	// server goes: nobody inherits them while it is away.
	claims [kinds][]string
}

// namesPerTool is how many public names a server may ever have, for each item
// that it may list at a time: they are remembered, and one that invents names
// without end would fill the memory.
const namesPerTool = 4

// New returns an empty registry of the given servers, in configuration order.
// twin maps a server to a key that identically configured servers share.
func New(opts Options, order []string, twin map[string]string) *Registry {
	r := &Registry{opts: opts, order: slices.Clone(order), servers: map[string]*server{}}
	for i, name := range order {
		r.servers[name] = &server{position: i, twin: twin[name]}
	}
	for k := range r.owner {
		r.owner[k] = map[string]target{}
	}
	return r
}

// Install replaces what a server offers of a kind, and reports whether what
// clients see changed: of that kind, or of resources or templates when it is
// one of the two.
func (r *Registry) Install(serverName string, k Kind, l Listing) (changed bool) {
	items := l.prepare(k) // it reads all definitions; nobody has to wait for that
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.servers[serverName]
	if s == nil || s.position < 0 {
		return false
	}
	if !k.named() {
		s.claims[k] = names(items)
	}
	return r.replace(s, k, items, hint{l.TTL, l.HasTTL})
}

// Remove takes everything of a server away and returns the kinds of which
// clients see less. Its URIs lead nowhere until it is back or listed anew.
func (r *Registry) Remove(serverName string) []Kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.servers[serverName]
	if s == nil {
		return nil
	}
	var changed []Kind
	for _, k := range Kinds {
		if r.replace(s, k, nil, hint{}) {
			changed = append(changed, k)
		}
	}
	return changed
}

// replace sets what a server has of a kind and makes the views anew that it
// has a part in. r.mu is held.
func (r *Registry) replace(s *server, k Kind, items []Item, h hint) (changed bool) {
	touched := []Kind{k}
	if !k.named() {
		touched = []Kind{Resources, Templates} // a URI belongs to one server in both
	}
	var before [kinds]*view
	for _, t := range touched {
		before[t] = r.view(t)
	}
	s.items[k], s.hints[k] = items, h
	if !k.named() {
		r.land = nil
	}
	for _, t := range touched {
		r.views[t] = nil
		if after := r.view(t); after.sameAs(before[t]) {
			after.adopt(before[t])
		} else {
			changed = true
		}
	}
	return changed
}

func names(items []Item) []string {
	all := make([]string, 0, len(items))
	for i := range items {
		if items[i].Name != "" {
			all = append(all, items[i].Name)
		}
	}
	return all
}

// Entry is an item as commands show it.
type Entry struct {
	Server string
	Public string // empty when it is not listed
	Kind   Kind
	Item
}

// Entries returns every item of a kind, in configuration order, with the state
// that the registry gives it.
func (r *Registry) Entries(k Kind) []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.view(k).entries)
}

// view returns the kind's view, made anew when something changed. r.mu is held.
func (r *Registry) view(k Kind) *view {
	if r.views[k] == nil {
		r.views[k] = r.build(k)
	}
	return r.views[k]
}

// shown returns the kind's view for a client, and from now on its names belong
// to whom they name. r.mu is held.
func (r *Registry) shown(k Kind) *view {
	v := r.view(k)
	if !v.shown && k.named() {
		for public, route := range v.routes {
			if _, known := r.owner[k][public]; !known {
				r.owner[k][public] = target{route.Server, route.Name}
				r.servers[route.Server].owned[k]++
			}
		}
	}
	v.shown = true
	return v
}
