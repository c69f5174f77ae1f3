package selfedit

import "strings"

// What a byte means in a text.
const (
	quote = 1 << iota // ends what stands in quotes
	blank             // ends a word
	slash
	glob
	odd // there may be another way to read it
)

var class = [256]uint8{
	'"': quote | blank | odd, '\'': quote | blank | odd, '`': quote | blank | odd,
	'%': odd, '$': odd, '{': odd, '\\': odd, '^': odd,
	'\n': quote | blank, '\r': quote | blank,
	'=': blank, ';': blank, '|': blank, '&': blank, '>': blank, '<': blank, '(': blank, ')': blank, ',': blank, ':': blank,
	0: blank, 1: blank, 2: blank, 3: blank, 4: blank, 5: blank, 6: blank, 7: blank, 8: blank, '\t': blank, 11: blank,
	12: blank, 14: blank, 15: blank, 16: blank, 17: blank, 18: blank, 19: blank, 20: blank, 21: blank, 22: blank, 23: blank,
	24: blank, 25: blank, 26: blank, 27: blank, 28: blank, 29: blank, 30: blank, 31: blank, ' ': blank, 127: blank,
	'/': slash, '~': slash, '*': glob, '?': glob, '[': glob,
}

// words tries each part of a text between the bytes that end one.
func (i *inquiry) words(text string, end uint8) bool {
	table := &class
	from, seen := 0, uint8(0)
	for at := 0; at <= len(text); at++ {
		if at < len(text) {
			c := table[text[at]]
			if seen |= c; c&end == 0 || text[at] == ':' && at == from+1 && drive(text[from:min(len(text), from+3)]) {
				continue
			}
		}
		word := text[from:at]
		tell := seen&(slash|glob) != 0 || i.speaks(word)
		if tell && at > from && len(word) < len(text) && !web(text, from, at) && i.path(word, false) {
			return true
		}
		from, seen = at+1, 0
	}
	return false
}

// speaks reports whether a word without slashes can be the name of something
// protected.
func (i *inquiry) speaks(word string) bool {
	if word == "" {
		return false
	}
	word = bare(word)
	return i.places.named(word) || i.places.has(word)
}

// web reports whether a word is the rest of an address of the web, and nobody can
// take it for a path.
func web(text string, from, at int) bool {
	const longest = len("https:")
	before := text[max(0, from-longest):from]
	return strings.HasPrefix(text[from:at], "//") && !strings.Contains(text[from:at], "..") &&
		(hasEnd(before, "https:") || hasEnd(before, "http:"))
}

func hasEnd(text, end string) bool {
	return len(text) >= len(end) && strings.EqualFold(text[len(text)-len(end):], end)
}

func wraps(c byte) bool { return c == '@' || c == '{' || c == '}' || c == '[' || c == ']' }

// bare leaves out what stands around a path in a text.
func bare(word string) string {
	if word == "" || !wraps(word[0]) && !wraps(word[len(word)-1]) {
		return word
	}
	word = strings.TrimLeft(word, "@{[")
	return strings.TrimRight(word, "]}")
}

// strange reports whether a text may have another reading.
func strange(text string) bool {
	for i := range len(text) {
		if class[text[i]]&odd != 0 {
			return true
		}
	}
	return false
}
