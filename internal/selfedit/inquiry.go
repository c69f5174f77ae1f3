package selfedit

import (
	"strings"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Limits of one request, beyond those of the file system.
const (
	maxGlobs   = 1024 // patterns that are compared
	maxNearby  = 16   // directories that the request names
	maxPending = 64   // words that are tried from them
)

// inquiry is the work on one request.
type inquiry struct {
	rule     *Rule
	places   *protected
	current  bool // places are as the file system has them now
	fs       lookups
	tried    map[string]bool // words that lead nowhere
	globs    int
	nearby   []string // absolute, with slashes
	pending  []word
	findings []verdict.Finding

	value   bool   // the string at hand is no name of a member
	pointer string // of it
	where   func() string
}

// word is a relative path that may be meant from a directory of the request.
type word struct{ text, pointer string }

func newInquiry(r *Rule) *inquiry {
	return &inquiry{
		rule: r, places: r.places(false), fs: lookups{words: maxLookups, whole: maxWhole},
		globs: maxGlobs,
	}
}

// text looks at one string. where tells its pointer, if it matters.
func (i *inquiry) text(s string, value bool, where func() string) {
	i.value, i.pointer, i.where = value, "", where
	readings := [...]string{s}
	all := readings[:]
	if strange(s) {
		all = i.rule.spell.variants(s)
	}
	for _, v := range all {
		// As a whole, then what stands in quotes, then its words.
		quoted := len(all) > 1 && strings.ContainsAny(v, "\"'`")
		if i.whole(v) || quoted && i.words(v, quote) || i.words(v, blank) || i.places.spelled(v) {
			i.found(i.at())
			return
		}
	}
}

// whole looks at all of a string. One with a slash of which it cannot be told any
// more where it leads counts as leading to something protected: requests with
// that many paths are made to have the last of them passed over.
func (i *inquiry) whole(s string) bool {
	i.fs.begin(true)
	defer i.fs.begin(false)
	return i.path(s, true) || i.fs.refused && i.value && strings.IndexByte(s, '/') >= 0
}

func (i *inquiry) at() string {
	if i.where != nil {
		i.pointer, i.where = i.where(), nil
	}
	return i.pointer
}

// now makes sure that places are as the file system has them now.
func (i *inquiry) now() *protected {
	if !i.current {
		i.places, i.current = i.rule.places(true), true
	}
	return i.places
}

// together tries the words that are no paths by themselves from the directories
// that the request names elsewhere.
func (i *inquiry) together() {
	for _, w := range i.pending {
		for _, dir := range i.nearby {
			if i.places.holds(key(dir+"/"+w.text)) || i.leads("", dir+"/"+w.text) {
				i.found(w.pointer)
				break
			}
		}
	}
}
