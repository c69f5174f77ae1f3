package guard

import "strings"

// word is one word of a sentence, or an address, a number or the like.
type token struct {
	at      span
	entry   *entry // nil: the vocabulary does not know it
	known   bool   // it has a class
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
	text  string // lower case
	words []token
	keys  []string // the words themselves
}

// read calls each with every sentence that has a word of a known class.
func (r *reader) read(text string, each func(words []token)) {
	r.text = text
	r.words, r.keys = r.words[:0], r.keys[:0]
	fresh := true
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case letter(c) || digit(c) || c == '/' || c == '~' || c == '$':
			end := r.next(i, fresh)
			i, fresh = end, false
			if len(r.words) >= maxSentence {
				r.flush(each)
			}
			continue
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
		before := strings.TrimRight(text[max(0, i-8):i], " \t\r")
		after := strings.TrimLeft(text[i+1:min(len(text), i+24)], " \t#*/")
		if before == "" || after == "" {
			return true
		}
		b := before[len(before)-1]
		return !letter(b) && b != ',' || after[0] < 'a' || after[0] > 'z'
	default:
		return false
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
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
	key := r.text[start:end]
	if plain {
		key = strings.ToLower(key)
		w.entry = r.lookup(key)
	} else {
		r.classify(key, &w)
	}
	if w.entry != nil {
		w.classes.join(&w.entry.classes)
		w.known = true
	}
	r.words, r.keys = append(r.words, w), append(r.keys, key)
	return end
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
	w.entry = r.lookup(strings.ToLower(s))
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

// domains are the ends of names that are more often sites than files.
const domains = " com net org info xyz top site online shop app io co biz ru cn de uk test example club live me link click "

// site reports whether s reads like the name of a host.
func site(s string) bool {
	i := strings.LastIndexByte(s, '.')
	return i > 0 && strings.Contains(domains, " "+strings.ToLower(s[i+1:])+" ") && !digit(s[0])
}

// flush ends a sentence.
func (r *reader) flush(each func([]token)) {
	if len(r.words) > 0 {
		r.phrases()
		r.moods()
		each(r.words)
	}
	r.words, r.keys = r.words[:0], r.keys[:0]
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
			if i+len(p.rest) >= len(r.keys) || !startsWith(r.keys[i+1:], p.rest) {
				continue
			}
			r.words[i].classes.join(&p.classes)
			r.words[i].size = max(r.words[i].size, 1+len(p.rest))
		}
	}
}

func startsWith(list, head []string) bool {
	for i := range head {
		if list[i] != head[i] {
			return false
		}
	}
	return true
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
