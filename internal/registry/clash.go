package registry

import (
	"slices"
	"strings"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/unicode/norm"
)

// Clash is a URI or template to which two servers lay claim. The one that is
// configured first has it.
type Clash struct {
	Kind   Kind   // Resources or Templates
	Server string // who loses it, or a part of what its template stands for
	Name   string // the URI, or the template
	Owner  string // who has it
	By     string // the owner's URI or template
}

// Clashes returns what servers list that belongs to another server, and the
// templates of which a part does: of those, one example for each other server.
// It is for the person who runs the relay.
func (r *Registry) Clashes() []Clash {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Clash
	land := r.territory()
	for _, k := range []Kind{Resources, Templates} {
		for i := range r.view(k).entries {
			e := &r.view(k).entries[i]
			if e.Name == "" || e.State == Duplicate {
				continue
			}
			if position, ok := land.holder(e.Name); ok && r.order[position] != e.Server {
				all = append(all, Clash{k, e.Server, e.Name, r.order[position], land.by(position, e.Name)})
				continue
			}
			if k == Templates {
				all = append(all, r.inroads(e)...)
			}
		}
	}
	return all
}

// by returns what a URI belongs to a server by.
func (t *territory) by(position int, uri string) string {
	if first, ok := t.exact[uri]; ok && first == position {
		return uri
	}
	for i := range t.reaches {
		if c := &t.reaches[i]; c.position == position && c.matches(uri) {
			return c.text
		}
	}
	return uri
}

// inroads returns the URIs of servers before it that a template reaches.
func (r *Registry) inroads(e *Entry) []Clash {
	own := r.reach(e.Name)
	if !own.routed {
		return nil
	}
	var all []Clash
	for _, name := range r.order[:r.servers[e.Server].position] {
		for _, uri := range slices.Concat(r.servers[name].claims[Resources], r.servers[name].claims[Templates]) {
			if own.matches(uri) {
				all = append(all, Clash{Templates, e.Server, e.Name, name, uri})
				break
			}
		}
	}
	return all
}

// Lookalikes returns pairs of public names of different servers that differ
// only by case, or in characters that look alike, for the person who runs the
// relay.
func (r *Registry) Lookalikes(k Kind) [][2]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var pairs [][2]string
	first := map[string]*Entry{}
	v := r.view(k)
	for _, at := range v.listed {
		e := &v.entries[at]
		var other *Entry
		keys := likenesses(e.Public)
		for _, key := range keys {
			if known := first[key]; known == nil {
				first[key] = e
			} else if other == nil && known.Server != e.Server {
				other = known
			}
		}
		if other != nil {
			pairs = append(pairs, [2]string{other.Public, e.Public})
		}
	}
	return pairs
}

// likenesses returns what two names have in common when people take one for the
// other: their letters whatever the case, or their shapes.
func likenesses(name string) [2]string {
	name = norm.NFKC.String(name)
	return [2]string{
		"case " + fold(name),
		"shape " + strings.ToLower(confusable.Skeleton(name)),
	}
}

// fold removes the difference of case. Some letters have two small or two
// capital forms, so it goes up and down again.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }
