package guard

import (
	"strings"
	"unicode/utf8"
)

// word is one word of a sentence, or an address, a number or the like.
type token struct {
	at      span
	entry   *entry // nil: the vocabulary does not know it
	known   bool   // it has a class
	plain   bool   // letters and apostrophes only
	classes wordSet
	order   mood
	size    int  // how many words the phrase has that begins here
	fresh   bool // something that can begin a sentence stands before
	called  bool // a comma or, inside of a sentence, a colon comes next
}

// mood is whether a word is ordered: "do it", "you must do it", or the opposite.
type mood uint8

const (
	told mood = iota
	ordered
	forbidden
)

// maxSentence is how many words are read as one sentence; a longer one is cut.
const maxSentence = 72

// reader cuts text into sentences and the sentences into words.
type reader struct {
	*vocabulary
	text  string
	words []token
	lower []byte  // the last word in small letters
	all   wordSet // the classes of the words so far
	known bool    // a word has a class
	multi bool    // a word can begin a phrase
	// wanted, when set, says whether a sentence with words of such classes is of
	// any use.
	wanted  func(all *wordSet) bool
	matched []*wording // what a sentence can have
}

// read calls each with every sentence that has a word of a known class.
func (r *reader) read(text string, each func(words []token)) {
	r.text = text
	r.clear()
	fresh := true
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case firstBytes.has(c):
			end := r.next(i, fresh)
			i, fresh = end, false
			if len(r.words) >= maxSentence {
				r.flush(each)
			}
			continue
		case !markBytes.has(c):
		case ends(text, i):
			r.flush(each)
			fresh = true
		case strings.IndexByte(":\"([*#`", c) >= 0 || c == '-' && !hyphen(text, i):
			fresh = true
		}
		i++
	}
	r.flush(each)
}

// The bytes that words begin with, and the marks that say something about
// sentences.
var (
	letterBytes = byteSet{0, letterBits, allBits, allBits}
	firstBytes  = byteSet{digitBits | 1<<'/' | 1<<'$', letterBits | 1<<('~'-64), allBits, allBits}
	markBytes   = byteSet{
		1<<'.' | 1<<'!' | 1<<'?' | 1<<';' | 1<<'<' | 1<<'>' | 1<<'\n' | 1<<':' | 1<<'"' | 1<<'(' | 1<<'*' | 1<<'#' | 1<<'-',
		1<<('|'-64) | 1<<('{'-64) | 1<<('}'-64) | 1<<('['-64) | 1<<('`'-64),
	}
)

// hyphen reports whether the hyphen at i joins two words.
func hyphen(text string, i int) bool {
	return i > 0 && i+1 < len(text) && (letter(text[i-1]) || digit(text[i-1])) && (letter(text[i+1]) || digit(text[i+1]))
}

// ends reports whether a sentence ends at the character at i.
func ends(text string, i int) bool {
	switch text[i] {
	case '.', '!', '?', ';':
		return i+1 == len(text) || !letter(text[i+1]) && !digit(text[i+1])
	case '|', '<', '>', '{', '}':
		return true
	case '\n':
		// A line that goes on in lower case was only wrapped.
		before, after := i-1, i+1
		for before >= max(0, i-8) && (text[before] == ' ' || text[before] == '\t' || text[before] == '\r') {
			before--
		}
		if before < max(0, i-8) || !letter(text[before]) && text[before] != ',' {
			return true
		}
		limit := min(len(text), i+24)
		for after < limit && strings.IndexByte(" \t#*/", text[after]) >= 0 {
			after++
		}
		return after == limit || text[after] < 'a' || text[after] > 'z'
	default:
		return false
	}
}

func letter(c byte) bool { return letterBytes.has(c) }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// next reads the word at start and returns where it ends.
func (r *reader) next(start int, fresh bool) int {
	end, plain := wordEnd(r.text, start)
	if end == start {
		return start + 1
	}
	w := token{at: span{start, end}, size: 1, fresh: fresh}
	if end < len(r.text) {
		w.called = r.text[end] == ',' || r.text[end] == ':' && len(r.words) > 0
	}
	w.plain = plain
	w.entry = r.find(r.text[start:end])
	if !plain {
		r.classify(r.text[start:end], &w)
	}
	if w.entry != nil {
		w.classes.join(&w.entry.classes)
		w.known = true
		r.multi = r.multi || len(w.entry.phrases) > 0
	}
	if w.known {
		r.all.join(&w.classes)
		r.known = true
	}
	r.words = append(r.words, w)
	return end
}

// find returns what is known of a word, or nil.
func (r *reader) find(word string) *entry {
	r.lower = r.lower[:0]
	for i := range len(word) {
		c := word[i]
		switch {
		case c >= utf8.RuneSelf:
			return r.lookup([]byte(strings.ToLower(word)))
		case upper(c):
			c |= 0x20
		}
		if i == 0 && !r.begins(c, len(word)) {
			return nil
		}
		r.lower = append(r.lower, c)
	}
	return r.lookup(r.lower)
}

// wordEnd returns where the word at start ends, and whether it is letters and
// apostrophes only.
func wordEnd(text string, start int) (end int, plain bool) {
	plain = true
	address := false
	for end = start; end < len(text); end++ {
		c := text[end]
		if letter(c) {
			continue
		}
		more := end+1 < len(text)
		switch {
		case digit(c), c == '_', c == '$' && end == start:
			plain = false
		case c == '\'' && end > start && more && letter(text[end+1]):
		case more && inside(c, plain, address) && inAddress(text[end+1]):
			slash := c == ':' && text[end+1] == '/'
			if c == ':' && !slash && !digit(text[end+1]) {
				return end, plain
			}
			plain, address = false, address || slash || c == '/'
		default:
			return end, plain
		}
	}
	return end, plain
}

// inside reports whether c can stand inside of a word that is plain, or an
// address, so far.
func inside(c byte, plain, address bool) bool {
	switch c {
	case '.', '/', '@', ':', '~':
		return true
	case '-':
		return !plain
	case '%', '=', '?', '&':
		return address
	default:
		return false
	}
}

func inAddress(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("/._-~@%?=&#$", c) >= 0
}

// classify names what is no plain word by its form.
func (r *reader) classify(s string, w *token) {
	y := &r.symbols
	w.known = true
	switch {
	case strings.Contains(s, "://"), len(s) > 6 && strings.EqualFold(s[:4], "www."):
		w.classes.add(y.url)
	case strings.IndexByte(s, '@') > 0:
		w.classes.add(y.mail)
	case s[0] == '$':
		w.classes.add(y.money)
	case s[0] == '/' || s[0] == '~':
		w.classes.add(y.path)
	case strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '.') > 0 && site(s):
		w.classes.add(y.url)
	case strings.IndexByte(s, '/') > 0 && site(s[:strings.IndexByte(s, '/')]):
		w.classes.add(y.url)
	case digit(s[0]):
		w.classes.add(y.number)
	case strings.IndexByte(s, '_') > 0:
		w.classes.add(y.name)
	case strings.IndexByte(s, '.') > 0 || strings.IndexByte(s, '/') >= 0:
		w.classes.add(y.path)
	}
}

// site reports whether s reads like the name of a host: its end is more often that
// of a site than of a file.
func site(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || digit(s[0]) {
		return false
	}
	switch strings.ToLower(s[i+1:]) {
	case "com", "net", "org", "info", "xyz", "top", "site", "online", "shop", "app", "io", "co", "biz", "ru", "cn", "de", "uk", "test",
		"example", "club", "live", "me", "link", "click":
		return true
	default:
		return false
	}
}

// flush ends a sentence.
func (r *reader) flush(each func([]token)) {
	if r.multi {
		r.phrases()
	}
	if r.known && (r.wanted == nil || r.wanted(&r.all)) {
		r.moods()
		each(r.words)
	}
	r.clear()
}

func (r *reader) clear() {
	r.words, r.known, r.multi, r.all = r.words[:0], false, false, wordSet{}
}

// phrases adds the classes of phrases of several words to their first.
func (r *reader) phrases() {
	for i := range r.words {
		e := r.words[i].entry
		if e == nil {
			continue
		}
		for j := range e.phrases {
			p := &e.phrases[j]
			if i+len(p.rest) >= len(r.words) || !r.goesOn(r.words[i+1:], p.rest) {
				continue
			}
			r.words[i].classes.join(&p.classes)
			r.all.join(&p.classes)
			r.words[i].size = max(r.words[i].size, 1+len(p.rest))
		}
	}
}

// goesOn reports whether words begin with those of rest.
func (r *reader) goesOn(words []token, rest []string) bool {
	for i, want := range rest {
		w := r.text[words[i].at.start:words[i].at.end]
		if w != want && (!words[i].plain || !lowers(w, want)) {
			return false
		}
	}
	return true
}

// lowers reports whether lower is word in small letters.
func lowers(word, lower string) bool {
	if c := word[0]; c < utf8.RuneSelf && c != lower[0] && (!upper(c) || c|0x20 != lower[0]) {
		return false // as most words are
	}
	return strings.ToLower(word) == lower //nolint:gocritic // other letters are not the same in another case
}

// moods finds which words are orders.
func (r *reader) moods() {
	y := &r.symbols
	mode, open, had := ordered, true, false
	for i := 0; i < len(r.words); {
		w := &r.words[i]
		if w.fresh {
			open, mode = true, ordered
		}
		switch c := &w.classes; {
		case c.has(y.direct):
			open, mode = true, ordered
		case c.has(y.agent) && i+w.size < len(r.words) && r.words[i+w.size].classes.has(y.modal):
			open, mode = true, ordered
			i += w.size
			i += r.words[i].size
			continue
		case open && (c.has(y.open) || c.has(y.agent)):
		case open && c.has(y.not):
			mode = forbidden
		case open:
			w.order = mode
			open, had = false, w.known
			i++
			continue
		case had && c.has(y.and):
			open = true
		}
		i += w.size
	}
}
