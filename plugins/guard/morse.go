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
	for start := 0; start < len(text); {
		if !morseByte(text[start]) || text[start] == ' ' {
			start++
			continue
		}
		end := start
		for end < len(text) && morseByte(text[end]) {
			end++
		}
		if end-start >= 3*minMorse {
			if plain = unmorse(text[start:end]); plain != "" {
				return plain, span{start, end}
			}
		}
		start = end
	}
	return "", span{}
}

func morseByte(c byte) bool { return c == '.' || c == '-' || c == ' ' || c == '/' || c == '|' }

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
