package guard

import "strings"

// leetLetters are digits and signs that are read as letters.
var leetLetters = [256]byte{
	'0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '@': 'a', '$': 's', '!': 'i',
}

// unleet turns digits in words back into letters: 1gn0r3. Only words of the
// dictionary are changed.
func (t *tables) unleet(text string) (view, bool) {
	m := mapper{far: nearby}
	done := 0
	for i := 0; i < len(text); i++ {
		if leetLetters[text[i]] == 0 {
			continue
		}
		at := span{i, i + 1}
		for at.start > done && letterLike(text[at.start-1]) && i-at.start <= longestInDictionary {
			at.start--
		}
		for at.end < len(text) && letterLike(text[at.end]) {
			at.end++
		}
		i = at.end - 1
		// Inside a longer word, as in base64, digits are what they are.
		if at.start > 0 && wordByte(text[at.start-1]) || at.end < len(text) && wordByte(text[at.end]) {
			continue
		}
		if word := t.leetWord(text[at.start:at.end]); word != "" {
			m.kept(text, done, at.start)
			m.replaced(word, at.start, at.start+len(word))
			done = at.start + len(word)
		}
	}
	if done == 0 {
		return view{}, false
	}
	m.kept(text, done, len(text))
	w := m.view("")
	w.kind, w.hidden = kindLeet, true
	return w, true
}

// leetWord returns the word of the dictionary that s is written for.
func (t *tables) leetWord(s string) string {
	if len(s) < minLeet || len(s) > longestInDictionary+1 {
		return ""
	}
	for _, one := range []byte{'i', 'l'} {
		for _, end := range []string{s, strings.TrimRight(s, "!")} {
			if w := plainWord(end, one); len(w) >= minLeet && !strings.EqualFold(w, end) && t.words[w] {
				return w
			}
		}
	}
	return ""
}

// minLeet is the length of the shortest word that is turned back.
const minLeet = 4

// plainWord returns s in small letters, a 1 read as one.
func plainWord(s string, one byte) string {
	b := []byte(strings.ToLower(s))
	for i, c := range b {
		switch l := leetLetters[c]; {
		case c == '1':
			b[i] = one
		case l != 0:
			b[i] = l
		}
	}
	return string(b)
}
