package panscanner

import (
	"strings"
	"unicode/utf8"
)

// place says where an element of a chunk comes from.
type place struct {
	token  int  // in the projection; -1: made from several
	offset int  // byte at which the element starts in the token's text
	value  bool // a string value, which can be redacted; else a name or number
}

// chunk is a part of a text that is too large for one request: a JSON array of
// names, strings and numbers in their order. Long strings are cut.
type chunk struct {
	doc    []byte
	places []place
	last   int // bytes of text in the last element
}

// Costs of text in a request, where it is JSON inside a JSON string.
const (
	elementCost = 5 // two quotes, each escaped, and a comma
	chunkCost   = 2 // the brackets
)

// cutter fills chunks. A string that does not fit is cut at a character, and
// the next chunk begins with the last overlap bytes before the cut, so that
// whatever is shorter lies in one chunk as a whole.
type cutter struct {
	budget  int // cost of a chunk, at least 8 times twice the overlap
	overlap int // bytes
	urls    int // addresses in a chunk

	done  []chunk
	open  chunk
	used  int
	links int
}

// cut divides a projection, and the joined text if there is any.
func (c *cutter) cut(p *projection, joined string) []chunk {
	_ = each(p.doc, func(t token) error {
		switch t.kind {
		case tokenName, tokenString, tokenNumber:
			c.add(t.String(), place{token: t.n, value: t.kind == tokenString && !p.altered[t.n]})
		default:
		}
		return nil
	})
	c.add(joined, place{token: -1})
	c.flush()
	return c.done
}

func (c *cutter) add(text string, at place) {
	for text != "" {
		fresh := len(c.open.places) == 0
		n := fit(text, c.budget-chunkCost-c.used-elementCost, c.urls-c.links)
		if n < len(text) && n < 2*c.overlap {
			if !fresh {
				c.flush()
				continue
			}
			// Only addresses can fill an empty chunk so soon. Go on regardless:
			// without progress past the overlap there would be no end.
			n = min(fit(text, c.budget-chunkCost-elementCost, len(text)), runeBoundary(text, 2*c.overlap))
		}
		c.put(text[:n], at)
		if n == len(text) {
			return
		}
		c.flush()
		back := runeBoundary(text, n-c.overlap)
		at.offset += back
		text = text[back:]
	}
}

func (c *cutter) put(text string, at place) {
	if len(c.open.places) == 0 {
		c.open.doc = []byte{'['}
	} else {
		c.open.doc = append(c.open.doc, ',')
	}
	c.open.doc = append(c.open.doc, quote(text)...)
	c.open.places = append(c.open.places, at)
	c.open.last = len(text)
	c.links += strings.Count(text, urlMark)
	for _, r := range text {
		c.used += cost(r)
	}
	c.used += elementCost
}

func (c *cutter) flush() {
	if len(c.open.places) == 0 {
		return
	}
	c.open.doc = append(c.open.doc, ']')
	c.done = append(c.done, c.open)
	c.open, c.used, c.links = chunk{}, 0, 0
}

// urlMark is what addresses are counted by. The service counts in a way of its
// own, which is not published.
const urlMark = "://"

// fit returns how many bytes of text cost no more than room and hold no more
// than so many addresses.
func fit(text string, room, links int) int {
	for i, r := range text {
		if room -= cost(r); room < 0 {
			return i
		}
		if r == ':' && strings.HasPrefix(text[i:], urlMark) {
			if links--; links < 0 {
				return i
			}
		}
	}
	return len(text)
}

// cost returns the bytes that r takes as JSON inside a JSON string.
func cost(r rune) int {
	switch {
	case r == '"' || r == '\\':
		return 4
	case r == '\n' || r == '\r' || r == '\t' || r == '\b' || r == '\f':
		return 3
	case r < ' ':
		return 7
	default:
		return utf8.RuneLen(r)
	}
}

// quotedLen returns the length of doc, a JSON text, inside a JSON string.
func quotedLen(doc []byte) int {
	n := 0
	for _, b := range doc {
		if b == '"' || b == '\\' {
			n++
		}
	}
	return n + len(doc)
}

// joinTexts puts the texts of a message's blocks together, so that what is
// split between two of them is seen. Of long ones only the ends are taken: the
// blocks themselves are sent anyway. Empty: fewer than two.
func joinTexts(texts []string, overlap int) string {
	if len(texts) < 2 {
		return ""
	}
	var b strings.Builder
	for _, s := range texts {
		if len(s) > 2*overlap {
			b.WriteString(s[:runeBoundary(s, overlap)])
			b.WriteString("\n")
			s = s[runeBoundary(s, len(s)-overlap):]
		}
		b.WriteString(s)
	}
	return b.String()
}
