package registry

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Options configure a registry.
type Options struct {
	Naming  Naming
	MaxName int // longest public name, in bytes
	// MaxTools bounds the items of each kind over all servers.
	MaxTools int
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
}

// target is what a public name stands for.
type target struct{ server, name string }

// server is one configured server's place in the registry.
type server struct {
	twin  string // equal for identically configured servers; empty: no twin
	items [kinds][]Item
	owned [kinds]int // public names that belong to it
}

// namesPerTool is how many public names a server may ever have, for each item
// that it may list at a time: they are remembered, and one that invents names
// without end would fill the memory.
const namesPerTool = 4

// New returns an empty registry of the given servers, in configuration order.
// twin maps a server to a key that identically configured servers share.
func New(opts Options, order []string, twin map[string]string) *Registry {
	r := &Registry{opts: opts, order: slices.Clone(order), servers: map[string]*server{}}
	for _, name := range order {
		r.servers[name] = &server{twin: twin[name]}
	}
	for k := range r.owner {
		r.owner[k] = map[string]target{}
	}
	return r
}

// Install replaces what a server offers of a kind, and reports whether what
// clients see of that kind changed.
func (r *Registry) Install(serverName string, k Kind, items []Item) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.servers[serverName]
	if s == nil {
		return false
	}
	before := r.view(k)
	s.items[k] = slices.Clone(items)
	r.views[k] = nil
	return !before.sameAs(r.view(k))
}

// Remove takes everything of a server away and returns the kinds of which
// clients see less.
func (r *Registry) Remove(serverName string) []Kind {
	var changed []Kind
	for _, k := range Kinds {
		if r.Install(serverName, k, nil) {
			changed = append(changed, k)
		}
	}
	return changed
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

// build gives every item its public name and its final state.
func (r *Registry) build(k Kind) *view {
	v := &view{kind: k, routes: map[string]Route{}, withheld: map[target]bool{}}
	seen := map[string]string{} // twin + definition -> server
	listed := 0
	for _, name := range r.order {
		s := r.servers[name]
		own := map[string]bool{}
		for _, it := range s.items[k] {
			e := Entry{Server: name, Kind: k, Item: it}
			switch {
			case it.State == Held, it.State == Blocked:
				v.withheld[target{name, it.Name}] = true
			case !it.State.listed():
			case own[it.Name]:
				e.State, e.Reason = Failed, "the server lists this name twice"
			case s.twin != "" && seen[s.twin+"\x00"+string(it.Raw)] != "":
				e.State, e.Reason = Duplicate, "server "+seen[s.twin+"\x00"+string(it.Raw)]+" is configured alike and offers the same"
			case listed >= r.opts.MaxTools:
				e.State, e.Reason = Failed, fmt.Sprintf("above the limit of %d", r.opts.MaxTools)
			default:
				r.publish(k, v, &e)
			}
			own[it.Name] = true
			if e.State.listed() {
				listed++
				if s.twin != "" {
					seen[s.twin+"\x00"+string(it.Raw)] = name
				}
			}
			v.entries = append(v.entries, e)
		}
	}
	v.render()
	return v
}

// publish gives the entry a public name that nobody else has, or had when a
// client looked.
func (r *Registry) publish(k Kind, v *view, e *Entry) {
	want := target{e.Server, e.Name}
	for _, candidate := range r.candidates(k, e) {
		owner, taken := r.owner[k][candidate]
		if taken && owner != want {
			continue
		}
		if !taken && r.servers[e.Server].owned[k] >= namesPerTool*r.opts.MaxTools {
			e.State, e.Reason = Failed, "the server has had too many different names"
			return
		}
		if _, taken := v.routes[candidate]; taken {
			continue
		}
		e.Public = candidate
		if candidate != e.Name && r.opts.Naming == Bare {
			e.Reason = "another server has this name, or clients do not take it"
		}
		v.routes[candidate] = Route{Server: e.Server, Name: e.Name, State: e.State}
		return
	}
	e.State, e.Reason = Failed, "its public name belongs to another server's item"
}

func (r *Registry) candidates(k Kind, e *Entry) []string {
	switch {
	case !k.named():
		return []string{e.Name}
	case r.opts.Naming == Bare && bareOK(e.Name):
		return []string{e.Name, prefixed(e.Server, e.Name, r.opts.MaxName)}
	default:
		return []string{prefixed(e.Server, e.Name, r.opts.MaxName)}
	}
}

// Lookalikes returns pairs of public names of different servers that differ
// only by case, for the person who runs the relay.
func (r *Registry) Lookalikes(k Kind) [][2]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var pairs [][2]string
	first := map[string]Entry{}
	for _, e := range r.view(k).entries {
		if e.Public == "" {
			continue
		}
		folded := strings.ToLower(e.Public)
		if other, ok := first[folded]; ok && other.Server != e.Server {
			pairs = append(pairs, [2]string{other.Public, e.Public})
		} else if !ok {
			first[folded] = e
		}
	}
	return pairs
}
