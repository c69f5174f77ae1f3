package guard

import (
	"strings"
	"sync"
)

// The international Morse code.
const (
	morseLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,?/-:@"
	morseSigns   = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. " +
		"----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. -..-. -....- ---... .--.-."
)

// minMorse is the shortest text in Morse code that is read, in signs.
const minMorse = 10

// morseTable has what each sign stands for.
var morseTable = sync.OnceValue(func() map[string]byte {
	table := map[string]byte{}
	for i, sign := range strings.Fields(morseSigns) {
		table[sign] = morseLetters[i]
	}
	return table
})

// morse returns the views of what text says in Morse code. Cut: there was more.
func morse(text string) (views []view, cut bool) {
	for next := 0; ; {
		at := morseBytes.run(text, next, 3*minMorse)
		if at.start == at.end {
			return views, false
		}
		next = at.end
		for at.start < at.end && text[at.start] == ' ' {
			at.start++
		}
		if at.end-at.start < 3*minMorse {
			continue
		}
		if plain := unmorse(text[at.start:at.end]); plain != "" {
			if len(views) == maxDecoded {
				return views, true
			}
			views = append(views, view{text: plain, via: "Morse code", hidden: true, whole: &at})
		}
	}
}

func unmorse(s string) string {
	table := morseTable()
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
