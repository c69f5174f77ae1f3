package guard

import (
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// A piece of text whose letters were moved reads as nothing; the frequencies of
// letters tell by how much they were.
const (
	minCipher  = 40   // letters from which frequencies tell
	cipherText = 2048 // how much of a text is looked at, in bytes
)

// letterShare is how often each letter stands in English, in thousandths.
var letterShare = [26]int{82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2, 20, 1}

// deciphered returns the views of text in which every letter is another one, in a
// line at a time: moved by some places, mirrored in the alphabet, or moved among
// all printable characters. Cut: there was more.
func deciphered(text string) (views []view, cut bool) {
	// The and your, moved among the printable characters.
	printable := strings.Contains(text, "E96") || strings.Contains(text, "J@FC") || strings.Contains(text, "2== ")
	turned := strings.Contains(text, " eht ") || strings.Contains(text, " dna ") || strings.Contains(text, " ruoy ")
	for start := 0; start < len(text); {
		end := start + strings.IndexByte(text[start:], '\n')
		if end < start {
			end = len(text)
		}
		if at := (span{start, end}); end-start >= minCipher {
			line := text[start:min(end, start+cipherText)]
			plain, via := decipher(line)
			if plain == "" && printable && english(strings.Map(rot47, line)) {
				plain, via = strings.Map(rot47, line), "rot47"
			}
			if plain == "" && turned {
				plain, via = unturned(line), "words reversed"
			}
			if plain != "" {
				if len(views) == maxDecoded {
					return views, true
				}
				views = append(views, view{text: plain, via: via, whole: &at, hidden: true})
			}
		}
		start = end + 1
	}
	return views, false
}

// decipher returns what line says when each of its letters stands for another.
func decipher(line string) (plain, via string) {
	var (
		bytes  [256]uint16 // of at most cipherText
		counts [26]int
	)
	for i := range len(line) {
		bytes[line[i]]++
	}
	letters, spaces := 0, int(bytes[' '])
	for i := range counts {
		counts[i] = int(bytes['a'+i]) + int(bytes['A'+i])
		letters += counts[i]
	}
	// E, t, a, o, i and n are half of the letters of most texts.
	common := counts[4] + counts[19] + counts[0] + counts[14] + counts[8] + counts[13]
	if letters < minCipher || spaces*12 < letters || letters*3 < len(line)*2 || 100*common > 42*letters {
		return "", ""
	}
	best, by := 0, 0
	for shift := range 26 {
		score := 0
		for i, n := range counts {
			score += n * letterShare[(i+26-shift)%26]
		}
		if score > best {
			best, by = score, shift
		}
	}
	if s := moved(line, func(n byte) byte { return (n + 26 - byte(by)) % 26 }); by > 0 && english(s) { //nolint:gosec // below 26
		return s, "letters moved"
	}
	if s := moved(line, func(n byte) byte { return 25 - n }); english(s) {
		return s, "alphabet mirrored"
	}
	return "", ""
}

// moved replaces every letter by the one that to says, as places in the alphabet.
func moved(s string, to func(byte) byte) string {
	b := []byte(s)
	for i, c := range b {
		if asciiLetter(c) {
			b[i] = (c&0x20 | 'A') + to((c|0x20)-'a')
		}
	}
	return string(b)
}

func rot47(r rune) rune {
	if r >= 33 && r <= 126 {
		return 33 + (r-33+47)%94
	}
	return r
}

// english reports whether s has as many of the commonest words as prose has.
func english(s string) bool {
	words, known := 0, 0
	for w := range strings.FieldsSeq(s) {
		words++
		switch strings.ToLower(w) {
		case "before", "using", "tool", "read", "send", "the", "and", "to", "of", "a", "in", "is", "it", "you", "that", "for",
			"on", "with", "as", "this", "be", "your", "all", "not", "do", "from", "or", "an", "by", "are", "if", "me",
			"any", "must", "user", "about", "every", "without", "at", "now", "it.", "its":
			known++
		}
	}
	return known >= 2 && known*6 >= words
}

// minProse is the shortest sentence that nobody writes in a cipher by accident, in
// words.
const minProse = 5

// disguised reports a sentence that was written so that people cannot read it: in
// a cipher, or in any encoding where a definition has it.
func (u *unfolding) disguised(v, p *view) {
	r := u.builtin["encoded_prose"]
	if r == nil || !p.hidden && u.phase != scanner.PhaseDefinition || strings.Count(p.text, " ") < minProse-1 || !english(p.text) {
		return
	}
	w := *v
	w.via = p.via
	u.matched(u.of, r, &w, *p.whole, u.base)
}

// unturned returns line with each of its words turned round, when it is prose then.
func unturned(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		words[i] = backwards(w)
	}
	if s := strings.Join(words, " "); english(s) {
		return s
	}
	return ""
}
