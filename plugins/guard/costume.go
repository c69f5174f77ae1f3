package guard

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Thresholds of what no ordinary text has.
const (
	costumeLetters = 10 // letters of other alphabets of symbols, in words
	costumeWord    = 3  // the shortest word that counts
	overlaidMarks  = 6  // letters struck through or underlined by marks
	stackedMarks   = 3  // letters with as many marks on them
	privateRun     = 4  // characters without a meaning in a row
	codeMarks      = 8  // unusual spaces, or characters without width, of two kinds
)

// costume counts letters that are written with symbols, and marks that write
// something else than they show.
type costume struct {
	plain              []byte // the text with its letters turned back
	letters, word      int
	wide, overlaid     int
	stack, stacked     int
	private, privateAt int
	spaces, invisible  marks
	direction, cjk     int
	first, last        int
	before             rune
}

// marks counts characters of which two kinds can write bits.
type marks struct {
	kind  rune
	two   bool
	count int
	at    span
}

func (m *marks) add(r rune, i int) {
	if m.count == 0 {
		m.kind, m.at.start = r, i
	}
	m.two = m.two || r != m.kind
	m.count++
	m.at.end = i + utf8.RuneLen(r)
}

// costumes looks for letters in costume and for codes made of marks.
func costumes(text string) []sighting {
	c := costume{plain: make([]byte, 0, len(text)/2), first: -1, privateAt: -1}
	var found []sighting
	for i, r := range text {
		if s, ok := c.privateEnd(text, i, r); ok {
			found = append(found, s)
		}
		c.count(i, r)
		c.before = r
	}
	if s, ok := c.privateEnd(text, len(text), 0); ok {
		found = append(found, s)
	}
	c.endWord()
	return append(found, c.sightings(text)...)
}

func (c *costume) count(i int, r rune) {
	if r < utf8.RuneSelf {
		c.plain = append(c.plain, byte(r)) //nolint:gosec // ASCII
		c.endWord()
		c.stack = 0
		return
	}
	if l := costumeLetter(r); l != 0 {
		if r >= 0x1f1e6 && r <= 0x1f1ff && c.before >= 0x1f1e6 && c.before <= 0x1f1ff {
			c.letters -= min(c.letters, costumeWord) // two of them are a flag
			return
		}
		if c.first < 0 {
			c.first = i
		}
		c.last = i + utf8.RuneLen(r)
		c.plain = append(c.plain, l)
		switch {
		case r >= 0xff21 && r <= 0xff5a:
			c.wide++
		case r >= 0x1f1e6 && r <= 0x1f1ff:
			c.letters++
		default:
			c.word++
		}
		return
	}
	c.endWord()
	c.mark(i, r)
}

// mark counts what is no letter.
func (c *costume) mark(i int, r rune) {
	switch {
	case combining(r):
		if c.stack++; c.stack == stackedMarks {
			c.stacked++
		}
		if overlay(r) && (asciiRune(c.before) || overlay(c.before)) {
			c.overlaid++
		}
		return
	case r >= 0x2000 && r <= 0x200a, r == 0x205f, r == 0x1680:
		c.spaces.add(r, i)
	case hiddenClass(r) == zeroWidthRune && (r != byteOrder || i > 0) && asciiRune(c.before) && r != softHyphen:
		c.invisible.add(r, i)
	case directionMark(r) && directionMark(c.before):
		c.direction++
		c.invisible.at.end = i + utf8.RuneLen(r)
	case r >= 0xfff9 && r <= 0xfffb:
		c.invisible.at = span{i, i + utf8.RuneLen(r)}
		c.direction = codeMarks
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
		c.cjk++
	}
	if hiddenClass(r) == visible {
		c.stack = 0
	}
}

// marking reports whether mark counts r, which is not hidden.
func marking(r rune) bool {
	return combining(r) || overlay(r) || r >= 0x2000 && r <= 0x200a || r == 0x205f || r == 0x1680 || r >= 0xfff9 && r <= 0xfffb
}

// private reports whether r has no meaning but by agreement.
func private(r rune) bool { return r >= 0xe000 && r <= 0xf8ff || r >= 0xf0000 }

func combining(r rune) bool {
	return r >= 0x0300 && r <= 0x036f && r != 0x034f || r >= 0x20d0 && r <= 0x20f0
}

func directionMark(r rune) bool { return r == 0x200e || r == 0x200f || r == 0x061c }

// endWord counts the letters of a word that is long enough.
func (c *costume) endWord() {
	if c.word >= costumeWord {
		c.letters += c.word
	}
	c.word = 0
}

// privateEnd reports a run of characters without a meaning that ends before i.
func (c *costume) privateEnd(text string, i int, r rune) (sighting, bool) {
	if private(r) {
		if c.privateAt < 0 {
			c.privateAt = i
		}
		c.private++
		return sighting{}, false
	}
	n, at := c.private, span{c.privateAt, i}
	c.private, c.privateAt = 0, -1
	if n < privateRun {
		return sighting{}, false
	}
	payload := strings.Map(func(r rune) rune { return r & 0x7f }, text[at.start:at.end])
	if !readable(payload) {
		payload = ""
	}
	return sighting{detector: "private_use", at: at, payload: payload}, true
}

func (c *costume) sightings(text string) []sighting {
	var found []sighting
	if c.letters >= costumeLetters || c.wide >= costumeLetters && c.cjk == 0 {
		found = append(found, sighting{detector: "costume", at: span{c.first, c.last}, payload: string(c.plain)})
	}
	if c.overlaid >= overlaidMarks || c.stacked >= stackedMarks {
		found = append(found, sighting{detector: "combining", at: span{0, len(text)}})
	}
	if c.spaces.two && c.spaces.count >= codeMarks {
		found = append(found, sighting{detector: "mark_code", at: c.spaces.at})
	}
	if c.invisible.two && c.invisible.count >= codeMarks || c.direction >= codeMarks/2 {
		found = append(found, sighting{detector: "mark_code", at: c.invisible.at})
	}
	return found
}

func asciiRune(r rune) bool { return r > 0 && r < utf8.RuneSelf }

// overlay reports whether r strikes a letter through or underlines it.
func overlay(r rune) bool {
	return r >= 0x0332 && r <= 0x0338 || r == 0x0305 || r == 0x033f || r >= 0x20d0 && r <= 0x20f0
}

// costumeBlocks are symbols that are letters in another dress: first symbol,
// last symbol, and the letter of the first. Blocks go on from Z to a.
var costumeBlocks = [...]struct {
	first, last rune
	letter      byte
}{
	{0x249c, 0x24b5, 'a'},
	{0x24b6, 0x24cf, 'A'},
	{0x24d0, 0x24e9, 'a'},
	{0xff21, 0xff3a, 'A'},
	{0xff41, 0xff5a, 'a'},
	{0x1f110, 0x1f129, 'A'},
	{0x1f130, 0x1f149, 'A'},
	{0x1f150, 0x1f169, 'A'},
	{0x1f170, 0x1f189, 'A'},
	{0x1f1e6, 0x1f1ff, 'A'},
}

// costumeLetter returns the letter that the symbol r is, or 0.
func costumeLetter(r rune) byte {
	if r < 0x249c {
		return 0
	}
	if r >= 0x1d400 && r <= 0x1d6a3 {
		n := (r - 0x1d400) % 52
		if n < 26 {
			return byte('A' + n)
		}
		return byte('a' + n - 26)
	}
	for _, b := range costumeBlocks {
		if r >= b.first && r <= b.last {
			return b.letter + byte(r-b.first) //nolint:gosec // at most 26
		}
	}
	return 0
}

// flippedLetters are letters that look like the ASCII letter at the same place
// of the alphabet turned upside down; 0 is one that does not.
const (
	flippedLetters = "ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ"
	flippedPlain   = "acefghijkmrtvwy"
)

// flipWords is how many words upside down are no phonetic script.
const flipWords = 3

// upsideDownText returns what text says that stands on its head.
func upsideDownText(text string) (sighting, bool) {
	words, inWord := 0, 0
	var plain []byte
	for _, r := range text {
		switch l := flippedLetter(r); {
		case l != 0:
			inWord++
			plain = append(plain, l)
		case asciiRune(r):
			if !asciiLetter(byte(r)) { //nolint:gosec // ASCII
				if inWord > 1 {
					words++
				}
				inWord = 0
			}
			plain = append(plain, turned(byte(r))) //nolint:gosec // ASCII
		}
	}
	if inWord > 1 {
		words++
	}
	if words < flipWords {
		return sighting{}, false
	}
	return sighting{detector: "costume", at: span{0, len(text)}, payload: backwards(string(plain))}, true
}

func flippedLetter(r rune) byte {
	if r < 0x180 {
		return 0
	}
	n := 0
	for _, f := range flippedLetters {
		if f == r {
			return flippedPlain[n]
		}
		n++
	}
	return 0
}

// turned returns the letter that c is when it stands on its head.
func turned(c byte) byte {
	const from, to = "bdpqnu", "qpdbun"
	if i := strings.IndexByte(from, c); i >= 0 {
		return to[i]
	}
	return c
}

// Line ends that write bits: in how many lines, with how many blanks each.
const (
	blankLines = 3
	blankTail  = 5
)

// lineEnds looks for lines that end in blanks of both kinds.
func lineEnds(text string) []sighting {
	lines, first := 0, 0
	for end := 0; end < len(text); end++ {
		next := strings.IndexByte(text[end:], '\n')
		if next < 0 {
			break
		}
		end += next
		start := end
		tabs := 0
		for start > 0 && (text[start-1] == ' ' || text[start-1] == '\t') {
			start--
			if text[start] == '\t' {
				tabs++
			}
		}
		if end-start < blankTail || tabs == 0 || tabs == end-start || start == 0 || text[start-1] == '\n' {
			continue
		}
		if lines == 0 {
			first = start
		}
		if lines++; lines == blankLines {
			return []sighting{{detector: "mark_code", at: span{first, end}}}
		}
	}
	return nil
}
