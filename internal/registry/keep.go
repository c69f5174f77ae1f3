package registry

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Keeps reports whether a text names something of a server that is kept from
// clients: a tool or prompt, also behind a prefix, or a resource, also one that
// a withheld template reaches; in whatever spelling a lenient server might take.
// What it equates some servers tell apart, so it is for refusing only.
func (r *Registry) Keeps(server, text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keepsName(server, text) || r.keepsURI(server, text)
}

func (r *Registry) keepsName(server, text string) bool {
	text = spelled(text)
	for _, k := range []Kind{Tools, Prompts} {
		v := r.view(k)
		for i := range v.entries {
			e := &v.entries[i]
			if e.Server != server || e.Public != "" || e.Name == "" {
				continue
			}
			name := spelled(e.Name)
			if text == name || strings.HasSuffix(text, "__"+name) {
				return true
			}
		}
	}
	return false
}

// spelled returns one form of a name for all its spellings.
func spelled(name string) string { return fold(norm.NFKC.String(strings.TrimSpace(name))) }

func (r *Registry) keepsURI(server, uri string) bool {
	if !strings.Contains(uri, ":") && !strings.Contains(uri, "%") {
		return false
	}
	resources, templates := r.view(Resources), r.view(Templates)
	if resources.keeps(server, uri) || templates.keeps(server, uri) {
		return true
	}
	form := canonical(uri)
	for i := range templates.entries {
		e := &templates.entries[i]
		if e.Server != server || e.State.listed() || e.Name == "" {
			continue
		}
		prefix, _, _ := strings.Cut(e.Name, "{")
		// The canonical form of a beginning may lack its last slash: then a little
		// more is kept.
		if prefix == "" || strings.HasPrefix(form, canonical(prefix)) {
			return true
		}
	}
	return false
}
