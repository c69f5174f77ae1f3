package registry

import "slices"

// SetServers replaces the servers and their order, and returns the kinds of
// which clients see a change. What a server offered that is not among them, or
// is named in renewed, is taken away. The public names of those that go stay
// theirs, should they come back; their URIs are anybody's.
func (r *Registry) SetServers(order []string, twin map[string]string, renewed []string) []Kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var before [kinds]*view
	for _, k := range Kinds {
		before[k] = r.view(k)
	}
	for name, s := range r.servers {
		if s.position = slices.Index(order, name); s.position < 0 {
			s.claims = [kinds][]string{}
		}
		if s.position < 0 || slices.Contains(renewed, name) {
			s.items, s.hints = [kinds][]Item{}, [kinds]hint{}
		}
	}
	for i, name := range order {
		if r.servers[name] == nil {
			r.servers[name] = &server{position: i}
		}
		r.servers[name].twin = twin[name]
	}
	r.order, r.land = slices.Clone(order), nil
	var changed []Kind
	for _, k := range Kinds {
		r.views[k] = nil
		if after := r.view(k); after.sameAs(before[k]) {
			after.adopt(before[k])
		} else {
			changed = append(changed, k)
		}
	}
	return changed
}
