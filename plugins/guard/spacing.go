package guard

// spacedLetters is how many letters in a row must stand apart.
const spacedLetters = 6

// unspace puts letters together that stand apart: i g n o r e, i-g-n-o-r-e.
func (t *tables) unspace(text string) (view, bool) {
	m := mapper{far: nearby}
	done := 0
	for i := 0; i+2*spacedLetters-2 < len(text); i++ {
		c := text[i+1]
		if text[i+3] != c || wordByte(c) || !letterLike(text[i]) || i > 0 && wordByte(text[i-1]) {
			continue
		}
		words, end := spacedWords(text, i, c)
		if n := t.segment(&words); n > 0 {
			m.kept(text, done, i)
			for _, w := range words {
				for j, at := range w.at {
					if with := text[at : at+1]; j == 0 && at != i {
						m.replaced(" "+with, at, at+1)
					} else {
						m.copied(text, at, at+1)
					}
				}
			}
			done = end
		}
		i = max(i, end-1)
	}
	if done == 0 {
		return view{}, false
	}
	m.kept(text, done, len(text))
	w := m.view("")
	w.kind, w.hidden = kindSpaced, true
	return w, true
}

// letters is a word that stands letter by letter in a text.
type letters struct {
	text string
	at   []int
}

// spacedWords reads letters with c between them from start on. A wider space
// ends a word. It returns the end of the last letter; no words, when they are
// too few.
func spacedWords(text string, start int, c byte) ([]letters, int) {
	words := []letters{{}}
	count, end := 0, start
	for i := start; i < len(text) && letterLike(text[i]); {
		w := &words[len(words)-1]
		w.at = append(w.at, i)
		end = i + 1
		count++
		next := end
		for next < len(text) && next-end < widestSpace && !wordByte(text[next]) && text[next] != '\n' {
			next++
		}
		if next == end || next+1 < len(text) && wordByte(text[next+1]) {
			break
		}
		if next-end > 1 || text[end] != c {
			words = append(words, letters{})
		}
		i = next
	}
	if count < spacedLetters {
		return nil, end
	}
	for i := range words {
		w := &words[i]
		own := make([]byte, len(w.at))
		for j, at := range w.at {
			own[j] = text[at]
		}
		w.text = string(own)
	}
	return words, end
}

// widestSpace is the longest space between words of letters set apart.
const widestSpace = 6

// letterLike reports whether c is a letter or a digit that is read as one.
func letterLike(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || leetLetters[c] != 0
}

// segment counts the words of the dictionary, taking words apart that were
// spelled without a space between them.
func (t *tables) segment(words *[]letters) int {
	var out []letters
	known := 0
	for _, w := range *words {
		lower := plainWord(w.text, 'i')
		if t.words[lower] {
			known++
			out = append(out, w)
			continue
		}
		rest := 0
		for i := 0; i < len(lower); {
			n := t.longestWord(lower[i:])
			if n < shortestSegment {
				i++
				continue
			}
			if rest < i {
				out = append(out, letters{w.text[rest:i], w.at[rest:i]})
			}
			out = append(out, letters{w.text[i : i+n], w.at[i : i+n]})
			known++
			i += n
			rest = i
		}
		if rest < len(lower) {
			out = append(out, letters{w.text[rest:], w.at[rest:]})
		}
	}
	*words = out
	return known
}

// Lengths of words of the dictionary.
const (
	longestInDictionary = 13
	shortestSegment     = 3
)

// longestWord returns the length of the longest word that text begins with.
func (t *tables) longestWord(text string) int {
	for n := min(longestInDictionary, len(text)); n > 0; n-- {
		if t.words[text[:n]] {
			return n
		}
	}
	return 0
}
