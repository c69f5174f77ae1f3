package selfedit

import (
	"path"
	"slices"
	"strings"
)

// path reports whether a text, read as a path, leads to something protected.
// whole says that it is all of a string.
func (i *inquiry) path(text string, whole bool) bool {
	if inner := bare(text); inner != text {
		if whole && i.path(inner, false) {
			return true
		}
		if !whole {
			text = inner
		}
	}
	l := i.look(text)
	switch {
	case whole && strings.IndexByte(text, '\n') >= 0:
		return false // lines are no path; their words may be
	case l.web && !l.up:
		return false // an address, unless somebody takes it for a path
	case l.named || l.glob || l.slash:
	case !whole || !i.value:
		return i.places.has(text)
	case len(text) > maxName:
		return false
	}
	if !whole {
		if i.tried[text] {
			return false
		}
		if i.tried == nil {
			i.tried = map[string]bool{}
		}
		i.tried[text] = true
	}
	return i.spelledOut(text, l, whole)
}

// spelledOut is path for what may be one.
func (i *inquiry) spelledOut(text string, l looks, whole bool) bool {
	p := i.now()
	text = i.rule.spell.tilde(text)
	if drive(text) {
		text = slashes(text)
	}
	absolute := strings.HasPrefix(text, "/")
	if l.glob && i.globs > 0 {
		i.globs--
		if i.matches(text, absolute) {
			return true
		}
	}
	if absolute {
		return i.absolute(text, l)
	}
	for b := range p.bases {
		if !prose(text, l, whole) && i.from(&p.bases[b], text, l, whole) {
			return true
		}
	}
	switch {
	case p.holds("/" + fold(path.Clean(text))):
		return true // wherever it is meant from
	case l.named && len(i.pending) < maxPending:
		i.pending = append(i.pending, word{text, i.at()})
	}
	return false
}

// prose reports whether a word among others is taken for what people write, unless
// the request names the directory that it would be in: programs are called relay
// or scanner, and so is what they do.
func prose(text string, l looks, whole bool) bool {
	return !whole && !l.slash && !l.glob && strings.IndexByte(text, '.') < 0
}

// maxName is how long a file's name can be.
const maxName = 255

// looks are what a text has at first sight.
type looks struct {
	named bool // an element that is the name of something protected
	slash bool
	glob  bool
	up    bool // dot-dot
	web   bool // the rest of an address
}

func (i *inquiry) look(text string) (l looks) {
	from := 0
	for at := 0; at <= len(text); at++ {
		if at < len(text) {
			switch text[at] {
			case '/':
				l.slash = true
			case '*', '?', '[':
				l.glob = true
				continue
			case '~':
				l.slash = l.slash || at == 0
				continue
			default:
				continue
			}
		}
		if element := text[from:at]; element != "" {
			l.named = l.named || i.places.named(bare(element))
			l.up = l.up || element == ".."
		}
		from = at + 1
	}
	l.web = hasScheme(text)
	return l
}

// hasScheme reports whether a text is an address of the web as a whole.
func hasScheme(text string) bool {
	for _, scheme := range []string{"http://", "https://"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// absolute tries a path that begins at the root.
func (i *inquiry) absolute(text string, l looks) bool {
	clean := path.Clean(text)
	if l.named || l.up {
		k := key(clean)
		if i.places.holds(k) {
			return true
		}
		if rest, ok := strings.CutPrefix(squeezed(text), "/proc/"); ok && i.process(fold(rest)) {
			return true
		}
		// //host/path: a share, or a file: URI with its host.
		if strings.HasPrefix(text, "//") {
			if at := strings.IndexByte(text[2:], '/'); at >= 0 && i.places.holds(key(text[2+at:])) {
				return true
			}
		}
	}
	if len(i.nearby) < maxNearby {
		i.nearby = append(i.nearby, clean)
	}
	return i.leads("", text) || l.up && clean != text && i.leads("", clean)
}

// squeezed leaves out the elements of a path that say nothing, and keeps dot-dot.
func squeezed(text string) string {
	var b strings.Builder
	for element := range strings.SplitSeq(text, "/") {
		if element != "" && element != "." {
			b.WriteString("/" + element)
		}
	}
	return b.String()
}

// process tries what /proc shows of a process: its root and its directory, of
// which only the process knows which they are.
func (i *inquiry) process(rest string) bool {
	_, rest, _ = strings.Cut(rest, "/")
	if after, ok := strings.CutPrefix(rest, "task/"); ok {
		_, rest, _ = strings.Cut(after, "/")
	}
	name, rest, _ := strings.Cut(rest, "/")
	switch name {
	case "root":
		return i.places.holds(key("/" + rest))
	case "cwd":
		for _, b := range i.places.bases {
			if i.places.holds(key(b.path + "/" + rest)) {
				return true
			}
		}
	}
	return false
}

// from tries a relative path from a base.
func (i *inquiry) from(b *base, text string, l looks, whole bool) bool {
	if b.inside && !l.named && !l.up {
		return b.entry(text, whole)
	}
	joined := b.path + "/" + text
	if l.named || l.up {
		k := key(joined)
		if i.places.holds(k) && (!b.inside || k != key(b.path)) {
			return true
		}
	}
	if !b.real || b.inside && !l.up || !l.slash && (!whole || !i.value) {
		return false
	}
	if !l.slash && !l.up && absent(joined) {
		return false // most strings are no file names, and this is the quick way to tell
	}
	return i.leads(b.path, text) || l.up && i.leads("", path.Clean(joined))
}

// leads asks the file system where a path leads that is relative to a directory
// without links.
func (i *inquiry) leads(dir, text string) bool {
	to, ok := i.fs.resolve(dir, text)
	return ok && (i.places.holds(key(to.path)) || slices.ContainsFunc(to.infos, i.places.same))
}
