package guard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// newLookalikes returns letters of other scripts, and punctuation, that read like
// ASCII: the part of Unicode's confusables that attacks on Latin text use.
func newLookalikes() map[rune]string {
	const from = "абвгеёіїјкмнопрсѕтухцԁһԛԝӏьАВЕЗІЈКМНОРСЅТУХԚԜҮҺ" +
		"αβγεηικνορτυχωϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ" +
		"ɑɡɩɪʏƖɴʀʙʜʟɢᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱ" +
		"‘’‚‛′“”„″‐‑‒–—−⁃∕⁄⧸․‹›＇"
	const to = "a6BreeiijkmHonpcsTyxudhqwlbABE3IJKMHOPCSTYXQWYh" +
		"aByenikvoptuxwcjABEZHIKMNOPTYXC" +
		"agiiylNRBHLGACDEJKMOPTUVWZS" +
		"'''''\"\"\"\"-------///.<>'"
	table := make(map[rune]string, len(to))
	i := 0
	for _, r := range from {
		table[r] = to[i : i+1]
		i++
	}
	return table
}

// fold returns the text as a reader sees it: invisible characters gone,
// compatibility forms, accents and lookalikes turned into plain letters,
// every space a space. With resolve, escapes (percent, HTML, \u) become what
// they stand for, and only what is near one is in the view. Case is kept. Plain ASCII without escapes folds to itself.
func (t *tables) fold(text string, resolve bool) view {
	via := ""
	if resolve {
		via = "escapes"
	}
	m := mapper{}
	if resolve {
		m.far = nearby
	}
	done := 0 // text[:done] has been written
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf && (!resolve || c != '%' && c != '&' && c != '\\') {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		escaped := false
		if resolve {
			if er, n := escape(text[i:]); n > 0 {
				r, size, escaped = er, n, true
			}
		}
		with, changed := t.foldRune(r)
		if !changed && !escaped {
			i += size
			continue
		}
		m.kept(text, done, i)
		m.replaced(with, i, i+size)
		i += size
		done = i
	}
	if done == 0 {
		return view{text: text, via: via}
	}
	m.kept(text, done, len(text))
	return m.view(via)
}

// foldRune returns what stands for r, and whether that differs from r.
func (t *tables) foldRune(r rune) (string, bool) {
	switch {
	case r < utf8.RuneSelf:
		return t.ascii[r : r+1], false
	case hiddenClass(r) != visible:
		return "", true
	case unicode.IsSpace(r), r == '\u2800':
		return " ", true
	}
	if s, ok := t.lookalikes[r]; ok {
		return s, true
	}
	if unicode.Is(unicode.Mn, r) {
		return "", true
	}
	s := string(r)
	parts := norm.NFKD.PropertiesString(s).Decomposition()
	if len(parts) == 0 {
		return s, false
	}
	kept := strings.Map(func(p rune) rune {
		if unicode.Is(unicode.Mn, p) {
			return -1
		}
		return p
	}, string(parts))
	return kept, true
}

// tables holds what folding needs; made with the engine, on first use.
type tables struct {
	lookalikes map[rune]string
	words      map[string]bool // that disguised words are compared with
	ascii      string          // each ASCII character at its own index
}

func newTables() *tables {
	ascii := make([]byte, utf8.RuneSelf)
	for i := range ascii {
		ascii[i] = byte(i)
	}
	return &tables{lookalikes: newLookalikes(), words: newDictionary(), ascii: string(ascii)}
}
