package registry

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Keeps reports whether a text names something of a server that is kept from
// clients: a tool or prompt, also behind a prefix, or a resource, also one that
// a withheld template reaches; in whatever spelling a lenient server might take.
// What it equates some servers tell apart, so it is for refusing only. Its time
// does not grow with the number of items, and others do not wait for it: a
// client may ask about every string of a long message.
func (r *Registry) Keeps(server, text string) bool {
	r.mu.Lock()
	tools, prompts := r.view(Tools), r.view(Prompts)
	resources, templates := r.view(Resources), r.view(Templates)
	r.mu.Unlock()
	// What is read of a view from here on never changes.
	name := spelled(text)
	if tools.kept[server].endOf(name) || prompts.kept[server].endOf(name) {
		return true
	}
	if !strings.Contains(text, ":") && !strings.Contains(text, "%") {
		return false
	}
	forms := spellings(text)
	return resources.keeps(server, forms) || templates.keeps(server, forms) || templates.kept[server].beginningOf(forms[0])
}

// kept holds the texts by which something of a server is kept from clients. Nil
// is one that holds none.
type kept struct {
	texts   map[string]bool
	lengths []int // of the texts, each once, the shortest first
}

// keep notes what clients do not get: the names of tools and prompts, and the
// literal beginnings of templates.
func (v *view) keep() {
	v.kept = map[string]*kept{}
	for i := range v.entries {
		e := &v.entries[i]
		switch {
		case e.Name == "":
		case v.kind.named() && e.Public == "":
			v.keepText(e.Server, spelled(e.Name))
		case v.kind == Templates && !e.State.listed():
			prefix, _, _ := strings.Cut(e.Name, "{")
			if prefix != "" {
				// The canonical form of a beginning may lack its last slash: then a
				// little more is kept.
				prefix = canonical(prefix)
			}
			v.keepText(e.Server, prefix)
		}
	}
	for _, k := range v.kept {
		for text := range k.texts {
			k.lengths = append(k.lengths, len(text))
		}
		slices.Sort(k.lengths)
		k.lengths = slices.Compact(k.lengths)
	}
}

func (v *view) keepText(server, text string) {
	k := v.kept[server]
	if k == nil {
		k = &kept{texts: map[string]bool{}}
		v.kept[server] = k
	}
	k.texts[text] = true
}

// endOf reports whether a text is one of those that are kept, or one behind a
// prefix.
func (k *kept) endOf(text string) bool {
	const border = "__"
	if k == nil {
		return false
	}
	for _, n := range k.lengths {
		if n > len(text) {
			break
		}
		prefix, name := text[:len(text)-n], text[len(text)-n:]
		if (prefix == "" || strings.HasSuffix(prefix, border)) && k.texts[name] {
			return true
		}
	}
	return false
}

// beginningOf reports whether a text begins with one of those that are kept.
func (k *kept) beginningOf(text string) bool {
	if k == nil {
		return false
	}
	for _, n := range k.lengths {
		if n > len(text) {
			break
		}
		if k.texts[text[:n]] {
			return true
		}
	}
	return false
}

// spelled returns one form of a name for all its spellings.
func spelled(name string) string { return fold(norm.NFKC.String(strings.TrimSpace(name))) }
