package registry

import "slices"

// territory says to which server a URI belongs: to the first configured one
// that lists it or has a template whose literal beginning it has, whatever
// becomes of that item. A later server cannot take a URI over by listing it,
// nor while the item is judged, withheld, or its server away.
type territory struct {
	exact   map[string]int // URI or text of a template -> the first server that lists it
	reaches []ownReach     // in configuration order
}

// ownReach is what a server's template reaches.
type ownReach struct {
	position int // of the server
	text     string
	reach
	state State
}

// territory returns whose URIs are. r.mu is held.
func (r *Registry) territory() *territory {
	if r.land != nil {
		return r.land
	}
	t := &territory{exact: map[string]int{}}
	for position, name := range r.order {
		s := r.servers[name]
		for _, k := range []Kind{Resources, Templates} {
			for _, uri := range s.claims[k] {
				if _, taken := t.exact[uri]; !taken {
					t.exact[uri] = position
				}
			}
		}
		for _, text := range s.claims[Templates] {
			if c := r.reach(text); c.routed {
				t.reaches = append(t.reaches, ownReach{position: position, text: text, reach: c})
			}
		}
	}
	r.land = t
	return t
}

// holder returns the server to which a URI belongs. It takes time that is
// linear in the number of templates and in their length.
func (t *territory) holder(uri string) (position int, ok bool) {
	position, ok = t.exact[uri]
	for i := range t.reaches {
		c := &t.reaches[i]
		if ok && c.position >= position {
			break
		}
		if c.matches(uri) {
			return c.position, true
		}
	}
	return position, ok
}

// fence notes which URIs are kept from clients, and what templates reach.
func (v *view) fence(r *Registry) {
	v.keep()
	if v.kind.named() {
		return
	}
	v.withheld = map[target]bool{}
	for i := range v.entries {
		e := &v.entries[i]
		if _, listed := v.routes[e.Name]; e.Public == "" && e.Name != "" && (!listed || v.routes[e.Name].Server != e.Server) {
			v.withheld[target{e.Server, canonical(e.Name)}] = true
		}
		if v.kind == Templates && e.Name != "" {
			if c := r.reach(e.Name); c.routed {
				v.reaches = append(v.reaches, ownReach{r.servers[e.Server].position, e.Name, c, e.State})
			}
		}
	}
}

// Owner returns where a URI leads: to the server that it belongs to, when that
// offers it or a template that reaches it. The text of a template belongs to
// whoever has the template. What a server lists and was withheld is not reached
// through its templates either, however it is spelled; nor what the more exact
// of its templates reaches when that one was withheld.
func (r *Registry) Owner(uri string) (Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	resources, templates := r.shown(Resources), r.shown(Templates)
	position, ok := r.territory().holder(uri)
	if !ok {
		return Route{}, false
	}
	server := r.order[position]
	if route, ok := resources.routes[uri]; ok && route.Server == server {
		return route, true
	}
	if len(resources.withheld)+len(templates.withheld) > 0 {
		forms := spellings(uri)
		if resources.keeps(server, forms) || templates.keeps(server, forms) {
			return Route{}, false
		}
	}
	if route, ok := templates.routes[uri]; ok && route.Server == server {
		return route, true
	}
	var best *ownReach
	for i := range templates.reaches {
		c := &templates.reaches[i]
		if c.position != position || !c.matches(uri) {
			continue
		}
		if best == nil || len(c.prefix) > len(best.prefix) || len(c.prefix) == len(best.prefix) && !best.state.listed() {
			best = c
		}
	}
	if best == nil || !best.state.listed() {
		return Route{}, false
	}
	return Route{Server: server, Name: uri, State: best.state}, true
}

// keeps reports whether a server's item of one of these URIs, which are the
// spellings of one, is kept from clients.
func (v *view) keeps(server string, uris []string) bool {
	return slices.ContainsFunc(uris, func(uri string) bool { return v.withheld[target{server, uri}] })
}

// Claimant returns the server that a URI belongs to, also when it leads
// nowhere because what the server offers there is withheld or the server is
// away.
func (r *Registry) Claimant(uri string) (server string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	position, ok := r.territory().holder(uri)
	if !ok {
		return "", false
	}
	return r.order[position], true
}
