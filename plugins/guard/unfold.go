package guard

import (
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// kind says how a view was made, and so what is worth looking for in it.
type kind uint8

const (
	kindPlain    kind = iota // what a reader sees
	kindEscapes              // with escapes resolved
	kindEncoded              // decoded from base64 and the like
	kindSpaced               // letters that stood apart put together
	kindJointed              // words that were joined to one taken apart
	kindLeet                 // digits for letters turned back
	kindMirrored             // written backwards, or with each letter moved
)

// Limits of the views of one piece of text: their number, how far one is made
// from another, and their bytes, as a multiple of the piece's.
const (
	maxViews     = 16
	maxDepth     = 3
	viewsPerByte = 4
	minViewBytes = 16 << 10
	// nearby is how much text around a change a view keeps, in bytes: more than
	// any expression of our own, or the window of the instruction score, needs.
	nearby = 1 << 10
)

// encodedVia is how a view is called that was decoded in several ways.
const encodedVia = "encoded text"

// unfolding makes the views of one piece and counts them.
type unfolding struct {
	*scan
	of           field
	base         int
	views, bytes int             // still allowed
	seen         map[string]bool // decoded texts, which several views can hold
	cut          bool
}

// unfold looks at the views in which text hides in root, which was looked at
// already and gave hints, and in payloads, and at views of these in turn.
func (s *scan) unfold(f field, base int, root *view, hints hint, payloads []view) {
	u := unfolding{scan: s, of: f, base: base, views: maxViews}
	var level []*view
	each := func(v *view) {
		if !u.take(v) {
			return
		}
		readings := asFolded
		if !v.exact() {
			readings |= asIs
		}
		v.hints = s.look(f, base, v, readings)
		level = append(level, v)
	}
	if root != nil {
		root.hints = hints
		u.bytes = max(minViewBytes, viewsPerByte*len(root.text))
		u.children(root, each)
	}
	for i := range payloads {
		u.bytes = max(u.bytes, viewsPerByte*len(payloads[i].text), minViewBytes)
		each(u.folded(&payloads[i]))
	}
	for depth := 1; depth < maxDepth && len(level) > 0; depth++ {
		parents := level
		level = nil
		for _, v := range parents {
			u.children(v, each)
		}
	}
	for _, v := range level {
		u.cut = u.cut || u.encoded(v) != nil
	}
	if u.cut {
		s.uninspected(f.pointer, "encoded text")
	}
}

// take reports whether there is room for v, and counts it.
func (u *unfolding) take(v *view) bool {
	if u.views == 0 || u.bytes < len(v.text) {
		u.cut = true
		return false
	}
	u.views--
	u.bytes -= len(v.text)
	return true
}

// folded returns v as a reader sees it.
func (u *unfolding) folded(v *view) *view {
	if ascii(v.text) {
		return v
	}
	w := u.tables.fold(v.text, false)
	if w.segments == nil {
		return v
	}
	w.from, w.via, w.hidden, w.kind = v, v.via, v.hidden, v.kind
	return &w
}

// children calls each with the views that hide in v.
func (u *unfolding) children(v *view, each func(*view)) {
	child := func(w view, via string) {
		w.from = v
		if w.via == "" {
			w.via = via
		}
		if v.via != "" && v.via != w.via {
			w.via = v.via + ", " + w.via
		}
		w.hidden = w.hidden || v.hidden
		each(&w)
	}
	switch v.kind {
	case kindSpaced:
		if w, ok := u.tables.unleet(v.text); ok {
			child(w, "digits for letters")
		}
		return
	case kindJointed, kindLeet, kindMirrored:
		return
	default:
	}
	if strings.ContainsAny(v.text, `%&\`) {
		if w := u.tables.fold(v.text, true); w.segments != nil {
			w.kind = kindEscapes
			child(w, "escapes")
		}
	}
	if w := u.encoded(v); w != nil {
		each(w)
	}
	if w, ok := u.tables.unspace(v.text); ok {
		child(w, "letters set apart")
	}
	if w, ok := u.tables.unjoint(v.text); ok {
		child(w, "words joined")
	}
	if w, ok := u.tables.unleet(v.text); ok {
		child(w, "digits for letters")
	}
	if v.hints&hintRotated != 0 {
		child(rotated(v.text), "rot13")
	}
	if v.hints&hintReversed != 0 {
		child(reversed(v.text), "reversed")
	}
}

// encoded returns the view of all that is encoded in v, nil when nothing is.
func (u *unfolding) encoded(v *view) *view {
	parts, cut := decoded(v.text)
	u.cut = u.cut || cut
	m := mapper{}
	w := view{kind: kindEncoded}
	for i := range parts {
		p := &parts[i]
		if u.seen[p.text] {
			continue
		}
		if u.seen == nil {
			u.seen = map[string]bool{}
		}
		u.seen[p.text] = true
		if len(m.out) > 0 {
			m.replaced(gap, p.whole.start, p.whole.start+1)
		}
		m.replaced(p.text, p.whole.start, p.whole.end)
		w.hidden = w.hidden || p.hidden
		u.disguised(v, p)
		switch {
		case w.via == "":
			w.via = p.via
		case w.via != p.via:
			w.via = encodedVia
		}
	}
	if len(m.out) == 0 {
		return nil
	}
	w.text, w.segments, w.from = string(m.out), m.segments, v
	// Results carry encoded files; in a definition, or encoded twice, nothing
	// else needs it.
	w.hidden = w.hidden || v.hidden || u.phase == scanner.PhaseDefinition || v.kind == kindEncoded
	if v.via != "" {
		w.via = v.via + ", " + w.via
	}
	return u.folded(&w)
}
