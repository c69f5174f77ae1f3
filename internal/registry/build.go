package registry

import "fmt"

// build gives every item its public name and its final state. r.mu is held.
func (r *Registry) build(k Kind) *view {
	v := &view{kind: k, routes: map[string]Route{}, ttl: r.ttl(k), meta: r.opts.ResultMeta}
	seen := map[string]string{} // twin + definition -> server
	for _, name := range r.order {
		s := r.servers[name]
		own := map[string]bool{}
		for _, it := range s.items[k] {
			e := Entry{Server: name, Kind: k, Item: it}
			switch {
			case !it.State.listed():
			case own[it.Name]:
				e.State, e.Reason = Failed, "the server lists this name twice"
			case s.twin != "" && seen[s.twin+"\x00"+string(it.Raw)] != "":
				e.State, e.Reason = Duplicate, "server "+seen[s.twin+"\x00"+string(it.Raw)]+" is configured alike and offers the same"
			case len(v.listed) >= r.opts.MaxTools:
				e.State, e.Reason = Failed, fmt.Sprintf("above the limit of %d", r.opts.MaxTools)
			default:
				r.publish(k, v, &e)
			}
			own[it.Name] = true
			if e.State.listed() {
				v.listed = append(v.listed, len(v.entries))
				if s.twin != "" {
					seen[s.twin+"\x00"+string(it.Raw)] = name
				}
			}
			v.entries = append(v.entries, e)
		}
	}
	v.paginate(r.opts.PageSize)
	v.fence(r)
	return v
}

// publish gives the entry a public name that nobody else has, or had when a
// client looked.
func (r *Registry) publish(k Kind, v *view, e *Entry) {
	if !k.named() {
		r.publishURI(k, v, e)
		return
	}
	want := target{e.Server, e.Name}
	for _, candidate := range r.candidates(e) {
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
		if candidate != e.Name && r.opts.Naming == Bare {
			e.Reason = "another server has this name, or clients do not take it"
		}
		v.offer(e, candidate)
		return
	}
	e.State, e.Reason = Failed, "its public name belongs to another server's item"
}

// publishURI offers what is listed under its own URI, unless that belongs to
// another server: what is listed leads to who lists it.
func (r *Registry) publishURI(k Kind, v *view, e *Entry) {
	if holder, ok := r.territory().holder(e.Name); ok && r.order[holder] != e.Server {
		e.State, e.Reason = Failed, "its URI belongs to server "+r.order[holder]+", which is configured first"
		return
	}
	if k == Templates && !r.reach(e.Name).routed {
		e.Reason = "nothing is read through it: it fixes no scheme and first segment"
	}
	v.offer(e, e.Name)
}

func (r *Registry) candidates(e *Entry) []string {
	if r.opts.Naming == Bare && bareOK(e.Name) {
		return []string{e.Name, prefixed(e.Server, e.Name, r.opts.MaxName)}
	}
	return []string{prefixed(e.Server, e.Name, r.opts.MaxName)}
}
