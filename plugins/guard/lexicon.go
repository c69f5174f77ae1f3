package guard

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// phraseDir holds the phrases and the classes of words that they are made of.
const phraseDir = rulesDir + "/phrase"

// phraseFile is one file of phraseDir. All of them share their classes.
type phraseFile struct {
	Version int               `yaml:"version"`
	Verbs   map[string]string `yaml:"verbs"` // class -> words, of which all forms count
	Nouns   map[string]string `yaml:"nouns"` // class -> words, with their plurals
	Words   map[string]string `yaml:"words"` // class -> words as they are; several in one entry are joined by _
	Phrases []phrase          `yaml:"phrases"`
}

// classList is a set of classes of words. Most words are in none or few.
type classList []uint16

// add puts a class into the set, which may share its memory with others.
func (s *classList) add(c int) {
	if !s.has(c) {
		*s = append(slices.Clip(*s), uint16(c)) //nolint:gosec // below maxListed
	}
}

func (s *classList) has(c int) bool { return slices.Contains(*s, uint16(c)) } //nolint:gosec // below maxListed

func (s *classList) overlaps(o *classList) bool {
	for _, c := range *s {
		if slices.Contains(*o, c) {
			return true
		}
	}
	return false
}

func (s *classList) join(o *classList) {
	for _, c := range *o {
		s.add(int(c))
	}
}

// classBits is the set of the classes that the words of one text are in.
type classBits [maxListed / 64]uint64

func (b *classBits) add(s classList) {
	for _, c := range s {
		b[c>>6] |= 1 << (c & 63)
	}
}

func (b *classBits) overlaps(s classList) bool {
	for _, c := range s {
		if b[c>>6]&(1<<(c&63)) != 0 {
			return true
		}
	}
	return false
}

// maxListed bounds the classes, the sets of single words in phrases included.
const maxListed = 4096

var errClasses = errors.New("too many classes of words")

// The classes that the form of a word decides, not the word.
var formClasses = [...]string{"url", "email", "secretfile", "rulesfile", "quoted", "account", "domain", "named", "secretenv"}

const (
	formURL = iota
	formEmail
	formSecretFile
	formRulesFile
	formQuoted
	formAccount
	formDomain
	formNamed
	formSecretVariable
)

// lexicon knows the classes of words. It is immutable once loaded.
type lexicon struct {
	names   map[string]int       // class -> number
	words   map[string]classList // word -> classes
	joined  map[string][]joint   // last word -> the entries of several words that end so
	phrases []phrase
	phases  [phaseCount]bool // in which there are phrases
	starts  [][]uint16       // class -> the phrases whose first element has it
}

// joint is an entry of several words.
type joint struct {
	before []string // the words before the last one
	class  int
}

// loadLexicon reads the embedded phrases, for the groups of in.
func loadLexicon(in *instructions) (*lexicon, error) {
	l := &lexicon{names: map[string]int{}, words: map[string]classList{}, joined: map[string][]joint{}}
	for _, name := range formClasses {
		l.names[name] = len(l.names)
	}
	err := eachRuleFile(phraseDir, func(name string) error {
		var f phraseFile
		if err := readRuleFile(name, &f); err != nil {
			return err
		}
		l.defineAll(f.Verbs, verbForms)
		l.defineAll(f.Nouns, nounForms)
		l.defineAll(f.Words, nil)
		l.phrases = append(l.phrases, f.Phrases...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.starts = make([][]uint16, maxListed)
	for i := range l.phrases {
		if err := l.prepare(i, in); err != nil {
			return nil, fmt.Errorf("phrase %q: %w", l.phrases[i].Any, err)
		}
	}
	if len(l.names) > maxListed {
		return nil, errClasses
	}
	return l, nil
}

// class returns the number of a class, new if need be.
func (l *lexicon) class(name string) int {
	c, ok := l.names[name]
	if !ok {
		c = len(l.names)
		l.names[name] = c
	}
	return c
}

// defineAll adds words to classes, in a fixed order: class ids decide between
// equals.
func (l *lexicon) defineAll(classes map[string]string, forms func(string) []string) {
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		l.define(class, classes[class], forms)
	}
}

// define adds words to a class, in all their forms.
func (l *lexicon) define(class, words string, forms func(string) []string) {
	c := l.class(class)
	if c >= maxListed {
		return // reported when all is read
	}
	for w := range strings.FieldsSeq(words) {
		parts := strings.Split(w, "_")
		last := parts[len(parts)-1]
		all := []string{last}
		if forms != nil {
			all = forms(last)
		}
		for _, form := range all {
			if len(parts) == 1 {
				set := l.words[form]
				set.add(c)
				l.words[form] = set
				continue
			}
			l.joined[form] = append(l.joined[form], joint{parts[:len(parts)-1], c})
		}
	}
}

// verbForms returns the regular forms of a verb.
func verbForms(w string) []string {
	n := len(w)
	switch stem := w[:n-1]; {
	case strings.HasSuffix(w, "e"):
		return []string{w, w + "s", w + "d", stem + "ing"}
	case strings.HasSuffix(w, "y") && !vowel(w[n-2]):
		return []string{w, stem + "ies", stem + "ied", w + "ing"}
	case strings.HasSuffix(w, "s"), strings.HasSuffix(w, "sh"), strings.HasSuffix(w, "ch"), strings.HasSuffix(w, "x"):
		return []string{w, w + "es", w + "ed", w + "ing"}
	case n == 3 && vowel(w[1]) && !vowel(w[2]) && !vowel(w[0]), strings.HasSuffix(w, "mit"):
		twice := w + w[n-1:]
		return []string{w, w + "s", w + "ed", w + "ing", twice + "ed", twice + "ing"}
	default:
		return []string{w, w + "s", w + "ed", w + "ing"}
	}
}

// nounForms returns a noun's singular and plural.
func nounForms(w string) []string {
	switch n := len(w); {
	case strings.HasSuffix(w, "y") && n > 1 && !vowel(w[n-2]):
		return []string{w, w[:n-1] + "ies", w + "'s"}
	case strings.HasSuffix(w, "s"), strings.HasSuffix(w, "x"), strings.HasSuffix(w, "ch"):
		return []string{w, w + "es", w + "'s"}
	default:
		return []string{w, w + "s", w + "'s", w + "s'"}
	}
}

func vowel(c byte) bool { return strings.IndexByte("aeiou", c) >= 0 }
