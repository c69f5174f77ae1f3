package guard

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// bidi looks for direction controls that show text in another order than it
// is read in. Marks and balanced isolates are ordinary; so are embeddings
// where the text has right-to-left letters.
func bidi(text string) []sighting {
	var (
		found []sighting
		open  []int // where isolates and embeddings began
		rtl   bool
		right = -1 // where the first embedding to the left began
	)
	for i, r := range text {
		switch r {
		case override, leftOverride:
			end := overrideEnd(text, i)
			inside := text[i+utf8.RuneLen(r) : end]
			found = append(found, sighting{detector: "bidi_override", at: span{i, end}, payload: shownAs(r, inside)})
		case '\u202a', '\u202b', '\u2066', '\u2067', '\u2068':
			open = append(open, i)
			if r == '\u202b' && right < 0 {
				right = i
			}
		case popDirection, '\u2069':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case '\n':
			// A paragraph ends what is open.
			found, open = append(found, unbalanced(open, i, rtl)...), open[:0]
		default:
			rtl = rtl || rightToLeft(r)
		}
	}
	if right >= 0 && len(open) == 0 && !rtl {
		open = []int{right} // nothing in the text goes that way
	}
	return append(found, unbalanced(open, len(text), rtl)...)
}

// unbalanced reports controls that were left open in text without
// right-to-left letters.
func unbalanced(open []int, end int, rtl bool) []sighting {
	if len(open) == 0 || rtl {
		return nil
	}
	return []sighting{{detector: "bidi_unbalanced", at: span{open[0], end}}}
}

// overrideEnd returns where the override that starts at i ends.
func overrideEnd(text string, i int) int {
	for j, r := range text[i:] {
		if j > 0 && (r == popDirection || r == '\n' || r == override || r == leftOverride) {
			return i + j
		}
	}
	return len(text)
}

// shownAs returns how a right-to-left override shows inside, for rules to read.
func shownAs(r rune, inside string) string {
	if r != override {
		return ""
	}
	runes := []rune(inside)
	slices.Reverse(runes)
	return string(runes)
}

func rightToLeft(r rune) bool {
	return r >= 0x0590 && unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
