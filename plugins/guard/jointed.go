package guard

// unjoint takes words apart that are joined to one: ignore_all_rules,
// IgnoreAllRules. Only these words are in the view.
func (t *tables) unjoint(text string) (view, bool) {
	m := mapper{}
	at := joinableBytes.run(text, 0, shortestJoint)
	for ; at.start < at.end; at = joinableBytes.run(text, at.end, shortestJoint) {
		if at.end-at.start <= longestJoint {
			t.joint(&m, text, at)
		}
	}
	if len(m.out) == 0 {
		return view{}, false
	}
	w := m.view("")
	w.kind = kindJointed
	return w, true
}

// Lengths of joined words, in bytes.
const (
	shortestJoint = 16
	longestJoint  = 600
)

// joint appends the words of text[at] when enough of them are in the
// dictionary.
func (t *tables) joint(m *mapper, text string, at span) {
	var words []span
	known := 0
	for i := at.start; i < at.end; {
		start := i
		for i < at.end && wordByte(text[i]) && text[i] != '_' && (i == start || !upper(text[i]) || upper(text[i-1])) {
			i++
		}
		if i == start {
			i++
			continue
		}
		words = append(words, span{start, i})
		if i-start > 1 && i-start <= longestInDictionary && t.known(text[start:i]) {
			known++
		}
	}
	if known < disguisedSentence || len(words) < disguisedSentence+1 {
		return
	}
	for i, w := range words {
		switch {
		case i > 0:
			m.replaced(" ", w.start-1, w.start)
		case len(m.out) > 0:
			m.replaced(gap, w.start, w.start+1)
		}
		m.copied(text, w.start, w.end)
	}
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// known reports whether a word of at most longestInDictionary letters is in the
// dictionary.
func (t *tables) known(word string) bool {
	var lower [longestInDictionary]byte
	for i := range len(word) {
		lower[i] = word[i] | ' '
	}
	return t.words[string(lower[:len(word)])]
}
