package guard

import "strings"

// The international Morse code.
const (
	morseLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,?/-:@"
	morseSigns   = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. " +
		"----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. -..-. -....- ---... .--.-."
)

// minMorse is the shortest text in Morse code that is read, in signs.
const minMorse = 10

// morse returns what text says in Morse code, and where.
func morse(text string) (plain string, at span) {
	for next := 0; ; next = at.end {
		if at = morseBytes.run(text, next, 3*minMorse); at.start == at.end {
			return "", span{}
		}
		for at.start < at.end && text[at.start] == ' ' {
			at.start++
		}
		if at.end-at.start >= 3*minMorse {
			if plain = unmorse(text[at.start:at.end]); plain != "" {
				return plain, at
			}
		}
	}
}

func unmorse(s string) string {
	table := map[string]byte{}
	for i, sign := range strings.Fields(morseSigns) {
		table[sign] = morseLetters[i]
	}
	var b strings.Builder
	signs, kinds := 0, map[byte]bool{}
	for word := range strings.FieldsFuncSeq(strings.ReplaceAll(s, "   ", " / "), func(r rune) bool { return r == '/' || r == '|' }) {
		for sign := range strings.FieldsSeq(word) {
			c, ok := table[sign]
			if !ok {
				return ""
			}
			b.WriteByte(c)
			signs++
			kinds[c] = true
		}
		b.WriteByte(' ')
	}
	if signs < minMorse || len(kinds) < minMorse/2 {
		return ""
	}
	return strings.ToLower(b.String())
}
