package guard

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// wordSet is a set of word classes: those of the files, and one for the words
// that a place of a saying names itself.
type wordSet [wordBlocks]uint64

const (
	wordBlocks     = 16
	maxWordClasses = wordBlocks * 64
)

func (s *wordSet) add(id int)      { s[id/64] |= 1 << (id % 64) }
func (s *wordSet) has(id int) bool { return s[id/64]&(1<<(id%64)) != 0 }

func (s *wordSet) join(o *wordSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

// anyOf is a small set of word classes, in blocks.
type anyOf []classBlock

type classBlock struct {
	block int
	mask  uint64
}

func (a *anyOf) add(id int) {
	for i := range *a {
		if (*a)[i].block == id/64 {
			(*a)[i].mask |= 1 << (id % 64)
			return
		}
	}
	*a = append(*a, classBlock{id / 64, 1 << (id % 64)})
}

func (a *anyOf) overlaps(s *wordSet) bool {
	for i := range *a {
		if s[(*a)[i].block]&(*a)[i].mask != 0 {
			return true
		}
	}
	return false
}

// vocabulary says in which classes a word is. Phrases of several words are known
// by their first.
type vocabulary struct {
	ids     map[string]int // class by name
	words   map[string]*entry
	short   [256]uint32 // first byte -> lengths of the words that begin with it
	symbols symbols
}

// entry is what is known of a word.
type entry struct {
	classes wordSet
	phrases []phraseEntry
}

// phraseEntry is the rest of a phrase.
type phraseEntry struct {
	rest    []string
	classes wordSet
}

// symbols are the classes that the reader of sentences gives out itself or
// takes its bearings from.
type symbols struct {
	url, mail, number, money, path, name, quoted, code int
	open, direct, not, agent, modal, and, tell         int
}

var errWord = errors.New("words are lower case")

// newVocabulary makes a vocabulary of the words by class. A word that ends in ~ is a
// verb and stands for its forms, one that ends in + a noun and its plural.
func newVocabulary(words map[string][]string) (*vocabulary, error) {
	l := &vocabulary{ids: map[string]int{}, words: map[string]*entry{}}
	// In a fixed order: class ids decide between equals.
	for _, class := range slices.Sorted(maps.Keys(words)) {
		list := words[class]
		id, err := l.class(class)
		if err != nil {
			return nil, err
		}
		for _, w := range list {
			if w != strings.ToLower(w) {
				return nil, fmt.Errorf("class %s, %q: %w", class, w, errWord)
			}
			for _, form := range wordForms(w) {
				l.add(id, strings.FieldsFunc(form, func(r rune) bool { return strings.ContainsRune(" -,", r) }))
			}
		}
	}
	for name, id := range map[string]*int{
		"URL": &l.symbols.url, "MAIL": &l.symbols.mail, "NUMBER": &l.symbols.number, "MONEY": &l.symbols.money,
		"PATH": &l.symbols.path, "NAME": &l.symbols.name, "QUOTED": &l.symbols.quoted, "CODE": &l.symbols.code,
		"OPEN": &l.symbols.open, "DIRECT": &l.symbols.direct, "NOT": &l.symbols.not, "AGENT": &l.symbols.agent,
		"MODAL": &l.symbols.modal, "AND": &l.symbols.and, "TELL": &l.symbols.tell,
	} {
		var err error
		if *id, err = l.class(name); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// class returns the number of a class, new or known.
func (l *vocabulary) class(name string) (int, error) {
	if id, ok := l.ids[name]; ok {
		return id, nil
	}
	if len(l.ids) == maxWordClasses {
		return 0, errClasses
	}
	l.ids[name] = len(l.ids)
	return l.ids[name], nil
}

func (l *vocabulary) add(id int, words []string) {
	first := words[0]
	e := l.words[first]
	if e == nil {
		e = &entry{}
		l.words[first] = e
		l.short[first[0]] |= 1 << min(len(first), 31)
	}
	if len(words) == 1 {
		e.classes.add(id)
	} else {
		p := phraseEntry{rest: words[1:]}
		p.classes.add(id)
		e.phrases = append(e.phrases, p)
	}
}

// begins reports whether a word of so many bytes that begins with c may be known.
func (l *vocabulary) begins(c byte, size int) bool { return l.short[c]&(1<<min(size, 31)) != 0 }

// lookup returns what is known of a lower-case word, or nil.
func (l *vocabulary) lookup(word []byte) *entry {
	if !l.begins(word[0], len(word)) {
		return nil
	}
	return l.words[string(word)]
}

// wordForms returns the forms of an entry of a rule file, in which the first of
// several words is inflected.
func wordForms(w string) []string {
	first, rest, _ := strings.Cut(strings.TrimRight(w, "~+"), " ")
	var all []string
	switch w[len(w)-1] {
	case '~':
		all = verbForms(first)
	case '+':
		first, rest = strings.TrimRight(w, "+"), ""
		all = nounForms(first)
	default:
		return []string{w}
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i] + " " + rest)
	}
	return all
}
