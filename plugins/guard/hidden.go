package guard

import (
	"unicode"
	"unicode/utf8"
)

// class says how a rune hides or steers text.
type class uint8

const (
	visible class = iota
	tagRune
	variationRune
	zeroWidthRune
	bidiRune
)

// The runes that have a meaning of their own below.
const (
	zwsp         = '\u200b'
	zwnj         = '\u200c'
	zwj          = '\u200d'
	softHyphen   = '\u00ad'
	byteOrder    = '\ufeff'
	blackFlag    = '\U0001f3f4'
	cancelTag    = '\U000e007f'
	textStyle    = '\ufe0e'
	emojiStyle   = '\ufe0f'
	popDirection = '\u202c'
	leftOverride = '\u202d'
	override     = '\u202e'
)

// hiddenClass returns the class of r.
func hiddenClass(r rune) class {
	switch {
	case r < softHyphen:
		return visible
	case r >= 0xe0000 && r <= 0xe007f:
		return tagRune
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef:
		return variationRune
	case r >= 0x200b && r <= 0x200d, r >= 0x2060 && r <= 0x2064, r >= 0x206a && r <= 0x206f,
		r == byteOrder, r == softHyphen, r == 0x034f, r == 0x180e, r == 0x115f, r == 0x1160,
		r == 0x3164, r == 0xffa0, r >= 0x1d173 && r <= 0x1d17a, r >= 0x1bca0 && r <= 0x1bca3:
		return zeroWidthRune
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
		return bidiRune
	default:
		return visible
	}
}

// sighting is one thing that a built-in detector saw.
type sighting struct {
	detector string // the name by which a rule refers to it
	at       span
	payload  string // what the hidden characters say, when it can be decoded
}

// run is a sequence of hidden runes between two visible ones.
type run struct {
	at           span
	runes        []rune
	before, next rune // utf8.RuneError at the ends of the text
}

// unseen looks for all text that is not what it seems to be.
func unseen(text string) []sighting {
	odd := oddities(text)
	var found []sighting
	if odd.hidden {
		found = hiddenText(text)
	}
	if odd.costume {
		found = append(found, costumes(text)...)
	}
	if odd.flipped {
		if s, ok := upsideDownText(text); ok {
			found = append(found, s)
		}
	}
	return found
}

// oddity says what kinds of characters a text has of which anything can be said,
// so that most texts are read once only.
type oddity struct{ hidden, costume, flipped bool }

func oddities(text string) oddity {
	var o oddity
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case hiddenClass(r) != visible:
			o.hidden, o.costume = true, true
		case flippedLetter(r) != 0:
			o.flipped = true
		case r < 0x300: // letters with accents, and quotation marks
		case costumeLetter(r) != 0, marking(r), private(r):
			o.costume = true
		}
	}
	return o
}

// hiddenText looks at every hidden rune of text and leaves out the uses that
// scripts and emoji need.
func hiddenText(text string) []sighting {
	var (
		found  []sighting
		splits splitCount
		r      run
	)
	r.before = utf8.RuneError
	for i, c := range text {
		if c < softHyphen && len(r.runes) == 0 {
			r.before = c
			continue
		}
		if k := hiddenClass(c); k != visible && k != bidiRune {
			if len(r.runes) == 0 {
				r.at.start = i
			}
			r.runes = append(r.runes, c)
			continue
		}
		if len(r.runes) > 0 {
			r.at.end, r.next = i, c
			found = append(found, judgeRun(&r, &splits)...)
			r.runes = r.runes[:0]
		}
		r.before = c
	}
	if len(r.runes) > 0 {
		r.at.end, r.next = len(text), utf8.RuneError
		found = append(found, judgeRun(&r, &splits)...)
	}
	return append(append(found, splits.sightings()...), bidi(text)...)
}

// judgeRun reports one run, or counts it when only many of them mean harm.
func judgeRun(r *run, splits *splitCount) []sighting {
	var tags, variations, styles, wide int
	for _, c := range r.runes {
		switch hiddenClass(c) {
		case tagRune:
			tags++
		case variationRune:
			variations++
			switch {
			case c > emojiStyle:
				wide++
			case c >= textStyle:
				styles++
			}
		default:
		}
	}
	zeroWidth := len(r.runes) - tags - variations
	switch {
	case tags > 0 && !flagSequence(r):
		return []sighting{{detector: "tags", at: r.at, payload: tagPayload(r.runes)}}
	case tableEnds(r.runes):
	case variations-styles > 1 || variations >= longRun || wide > 0 && !unicode.Is(unicode.Han, r.before):
		return []sighting{{detector: "variations", at: r.at, payload: variationPayload(r.runes)}}
	case zeroWidth >= longRun:
		return []sighting{{detector: "zero_width_run", at: r.at, payload: binaryPayload(r.runes)}}
	case zeroWidth > 0 && !legitimate(r):
		splits.add(r)
	}
	return nil
}

// tableEnds reports whether runes are only the first and the last of the blocks of
// selectors, as the tables and expressions of programs have them. Four of 256
// carry no text.
func tableEnds(runes []rune) bool {
	for _, c := range runes {
		if c != 0xfe00 && c != 0xfe0f && c != 0xe0100 && c != 0xe01ef {
			return false
		}
	}
	return len(runes) > 0 && len(runes) < longRun
}

// longRun is how many hidden characters in a row no script or emoji needs.
const longRun = 4

// flagSequence reports whether r is the tag part of a subdivision flag.
func flagSequence(r *run) bool {
	last := len(r.runes) - 1
	if r.before != blackFlag || last < 1 || last > 6 || r.runes[last] != cancelTag {
		return false
	}
	for _, c := range r.runes[:last] {
		if c -= 0xe0000; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// legitimate reports whether zero-width characters stand where scripts, emoji
// or files need them.
func legitimate(r *run) bool {
	switch c := r.runes[len(r.runes)-1]; {
	case c == byteOrder && r.at.start == 0:
		return true
	case c == zwj && pictograph(r.next):
		return true
	case c == zwj || c == zwnj:
		return joining(r.before) || joining(r.next)
	default:
		return unspaced(r.before) || unspaced(r.next)
	}
}

// pictograph reports whether r may follow a joiner in an emoji.
func pictograph(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2190 && r <= 0x2bff
}

// joining reports whether r's script uses joiners between letters.
func joining(r rune) bool {
	return r > 0x0370 && (unicode.IsLetter(r) || unicode.Is(unicode.M, r)) &&
		!unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Han)
}

// unspaced reports whether r's script marks line breaks with zero-width spaces.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
		unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// splitCount counts zero-width characters inside words, where nothing needs
// them: a few are typography or an accident, many are text in disguise.
type splitCount struct {
	inside     int
	at         span
	lastHyphen int
}

// manySplits is how many zero-width characters inside words are no accident.
const manySplits = 4

func (s *splitCount) add(r *run) {
	if !unicode.In(r.before, unicode.Letter, unicode.Digit) || !unicode.In(r.next, unicode.Letter, unicode.Digit) {
		return
	}
	if r.runes[0] == softHyphen {
		// Hyphenation puts syllables between soft hyphens, not single letters.
		near := s.lastHyphen > 0 && r.at.start-s.lastHyphen <= 2
		s.lastHyphen = r.at.end
		if !near {
			return
		}
	}
	if s.inside == 0 {
		s.at.start = r.at.start
	}
	s.inside++
	s.at.end = r.at.end
}

func (s *splitCount) sightings() []sighting {
	switch {
	case s.inside >= manySplits:
		return []sighting{{detector: "zero_width_words", at: s.at}}
	case s.inside > 0:
		return []sighting{{detector: "zero_width_inside", at: s.at}}
	default:
		return nil
	}
}

// mixed reports whether a word of so many letters, of which some are plain and
// others look like plain ones, is written in two scripts to be read as one.
func mixed(plain, alike, all int) bool {
	return plain > 0 && alike > 0 && plain+alike == all && all > 3
}

// mixedScript looks for words that mix ASCII letters with letters of other
// scripts that look like them.
func mixedScript(text string, t *tables) []sighting {
	var (
		found             []sighting
		plain, alike, all int
		start             int
	)
	flush := func(end int) {
		// \x02 before a letter is an escape, not a part of the word.
		if mixed(plain, alike, all) && (start == 0 || text[start-1] != '\\') {
			found = append(found, sighting{detector: "mixed_script", at: span{start, end}})
		}
		plain, alike, all = 0, 0, 0
	}
	for i, r := range text {
		switch {
		case r < utf8.RuneSelf && asciiLetter(byte(r)): //nolint:gosec // ASCII
			plain++
		case r < utf8.RuneSelf && wordByte(byte(r)): //nolint:gosec // ASCII
			all-- // a digit is of every script
		case r >= 0x370 && r <= 0x52f && unicode.IsLetter(r):
			if _, ok := t.lookalikes[r]; ok {
				alike++
			}
		case hiddenClass(r) == visible && unicode.IsLetter(r):
		default:
			if hiddenClass(r) == visible {
				flush(i)
			}
			continue
		}
		if all == 0 {
			start = i
		}
		all++
	}
	flush(len(text))
	return found
}
