package guard

import (
	"slices"
	"unicode/utf8"
)

// hint is what a string found in a text says about how the text is written.
type hint uint8

const (
	hintRotated hint = 1 << iota
	hintReversed
)

// mirrorWords are words that orders to a model are made of, long enough that
// their letters stand in no other text the other way round.
var mirrorWords = [...]string{
	"ignore", "disregard", "instruction", "previous", "system prompt", "password", "assistant", "secret key",
	"override", "credential", "reveal the", "reveal your", "do not tell", "execute", "send all", "forget ",
}

// hintWords returns the strings that hint at text written backwards or with
// letters moved by thirteen places.
func hintWords() map[string]hint {
	words := map[string]hint{}
	for _, w := range mirrorWords {
		words[rotated(w).text] |= hintRotated
		words[backwards(w)] |= hintReversed
	}
	return words
}

// rotated returns text with every letter moved by thirteen places.
func rotated(text string) view {
	b := []byte(text)
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			b[i] = 'A' + (c-'A'+13)%26
		}
	}
	return view{text: string(b), kind: kindMirrored, hidden: true}
}

// longestMirrored bounds what is turned round in one piece, in bytes.
const longestMirrored = 4 << 10

// reversed returns text with every line turned round. A place in a line is the
// whole line.
func reversed(text string) view {
	m := mapper{}
	for start := 0; start < len(text); {
		end := start
		for end < len(text) && text[end] != '\n' && end-start < longestMirrored {
			end++
		}
		end = runeSpan(text, span{start, end}).end
		m.replaced(backwards(text[start:end]), start, end)
		if start = end; start < len(text) && text[start] == '\n' {
			m.copied(text, start, start+1)
			start++
		}
	}
	v := m.view("")
	v.kind, v.hidden = kindMirrored, true
	return v
}

// backwards returns the runes of s in opposite order.
func backwards(s string) string {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		out = append(out, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return string(slices.Clip(out))
}
