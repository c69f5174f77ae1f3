package guard

import (
	"errors"
	"fmt"
	mathbits "math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// phrase is something that can be said in many words: a row of classes of words
// in one sentence, with others between them. It shows one or more of the groups
// that orders are made of.
type phrase struct {
	Groups map[string]int `yaml:"groups"` // group -> points
	// Any lists rows. Each is made of classes in their order, with | between
	// those that can stand in one place and = before a word that is meant itself;
	// <n says that up to n words may stand before the next one, else three.
	Any    []string `yaml:"any"`
	Phases []string `yaml:"phases"` // empty: definition
	Roles  []string `yaml:"roles"`  // empty: all
	// Parameter: only in what describes a parameter, where what is said goes there.
	Parameter bool `yaml:"parameter"`
	// Negatable: not when the sentence says not to, shortly before.
	Negatable bool `yaml:"negatable"`
	// Unless names a class of words: not when the sentence has one of them.
	Unless string   `yaml:"unless"`
	Hit    []string `yaml:"hit"`
	Miss   []string `yaml:"miss"`

	rows   []row
	traits []trait
	unless int // the class that Unless names, or -1
	phases [phaseCount]bool
	roles  roleSet
}

// row is one way to say a phrase.
type row struct{ elements []element }

// element is one place of a row.
type element struct {
	classes classList
	gap     int // how many words may stand before it
}

// Limits of rows, in words.
const (
	usualGap  = 3
	maxGap    = 20
	reachable = 64 // what a row may span
	negBefore = 4  // how far before a phrase its negation stands
)

// negation is the class of words that turn a phrase into its contrary.
const negation = "neg"

var (
	errRow   = errors.New("a row has two places or more, with gaps between them")
	errGap   = errors.New("a gap is too wide")
	errClass = errors.New("unknown class of words")
)

// prepare reads the rows of a phrase.
func (l *lexicon) prepare(n int, in *instructions) error {
	p := &l.phrases[n]
	for name, points := range p.Groups {
		g := slices.IndexFunc(in.Groups, func(g featureGroup) bool { return g.Name == name })
		if g < 0 {
			return fmt.Errorf("%q: %w", name, errGroup)
		}
		p.traits = append(p.traits, trait{group: g, points: points})
	}
	slices.SortFunc(p.traits, func(a, b trait) int { return a.group - b.group })
	var err error
	if p.roles, err = parseRoles(p.Roles); err != nil {
		return err
	}
	for ph := scanner.PhaseDefinition; int(ph) < phaseCount; ph++ {
		p.phases[ph] = contains(p.Phases, ph.String()) || len(p.Phases) == 0 && ph == scanner.PhaseDefinition
		l.phases[ph] = l.phases[ph] || p.phases[ph]
	}
	p.unless = -1
	if p.Unless != "" {
		c, known := l.names[p.Unless]
		if !known {
			return fmt.Errorf("%q: %w", p.Unless, errClass)
		}
		p.unless = c
	}
	for _, text := range p.Any {
		r, err := l.row(text)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		p.rows = append(p.rows, r)
	}
	for _, r := range p.rows {
		for _, c := range r.elements[0].classes {
			if !slices.Contains(l.starts[c], uint16(n)) { //nolint:gosec // there are hundreds
				l.starts[c] = append(l.starts[c], uint16(n)) //nolint:gosec // there are hundreds
			}
		}
	}
	return nil
}

// row reads one row.
func (l *lexicon) row(text string) (row, error) {
	var r row
	gap, total := usualGap, 0
	for field := range strings.FieldsSeq(text) {
		if n, ok := strings.CutPrefix(field, "<"); ok {
			var err error
			if gap, err = strconv.Atoi(n); err != nil || gap > maxGap {
				return row{}, errGap
			}
			continue
		}
		e, err := l.element(field)
		if err != nil {
			return row{}, err
		}
		e.gap = gap
		if len(r.elements) > 0 {
			total += gap + 1
		}
		r.elements = append(r.elements, e)
		gap = usualGap
	}
	if len(r.elements) == 0 || total >= reachable {
		return row{}, errRow
	}
	return r, nil
}

// element reads one place of a row. The words that are meant themselves make a
// class of their own.
func (l *lexicon) element(text string) (element, error) {
	var (
		e       element
		literal []string
	)
	for name := range strings.SplitSeq(text, "|") {
		if w, ok := strings.CutPrefix(name, "="); ok {
			literal = append(literal, w)
			continue
		}
		c, known := l.names[name]
		if !known {
			return element{}, fmt.Errorf("%q: %w", name, errClass)
		}
		e.classes.add(c)
	}
	if len(literal) > 0 {
		slices.Sort(literal)
		name := "=" + strings.Join(literal, "|")
		_, known := l.names[name]
		c := l.class(name)
		if c >= maxListed {
			return element{}, errClasses
		}
		if !known {
			l.define(name, strings.Join(literal, " "), nil)
		}
		e.classes.add(c)
	}
	return e, nil
}

// find calls each for every phrase in a text, at most once for every word that
// it can start with.
func (l *lexicon) find(text string, wanted func(*phrase) bool, b *budget, each func(*phrase, span)) {
	words := l.wordsOf(text)
	var present classBits
	for i := range words {
		present.add(words[i].classes)
	}
	neg := l.names[negation]
	var room [16]uint16
	for i := range words {
		for _, n := range l.startingWith(&words[i].classes, room[:0]) {
			p := &l.phrases[n]
			if !wanted(p) || p.Negatable && negated(words, i, neg) {
				continue
			}
			if !b.take(1) {
				return
			}
			if end := p.match(words[i:], &present); end >= 0 && !p.excused(words, i) {
				each(p, span{words[i].at.start, words[i+end].at.end})
			}
		}
	}
}

// startingWith appends the phrases that a word of such classes can start, each
// once.
func (l *lexicon) startingWith(classes *classList, to []uint16) []uint16 {
	for _, c := range *classes {
		for _, n := range l.starts[c] {
			if !slices.Contains(to, n) {
				to = append(to, n)
			}
		}
	}
	return to
}

// negated reports whether a negation stands shortly before the i-th word.
func negated(words []word, i, neg int) bool {
	for j := i - 1; j >= max(0, i-negBefore) && words[j].sentence == words[i].sentence; j-- {
		if words[j].classes.has(neg) {
			return true
		}
	}
	return false
}

// excused reports whether a word that makes the phrase harmless stands in the
// sentence of the i-th word, within reach.
func (p *phrase) excused(words []word, i int) bool {
	if p.unless < 0 {
		return false
	}
	for j := max(0, i-reachable); j < min(len(words), i+reachable); j++ {
		if words[j].sentence == words[i].sentence && words[j].classes.has(p.unless) {
			return true
		}
	}
	return false
}

// match returns the last word of the shortest match that starts with the first
// of words, or -1.
func (p *phrase) match(words []word, present *classBits) int {
	end := -1
	for i := range p.rows {
		if e := p.rows[i].match(words, present); e >= 0 && (end < 0 || e < end) {
			end = e
		}
	}
	return end
}

func (r *row) match(words []word, present *classBits) int {
	for i := range r.elements[1:] {
		if !present.overlaps(r.elements[i+1].classes) {
			return -1
		}
	}
	if !words[0].classes.overlaps(&r.elements[0].classes) {
		return -1
	}
	reached := uint64(1) // bit i: the elements so far can end with the i-th word
	for i := range r.elements[1:] {
		e := &r.elements[i+1]
		first := mathbits.TrailingZeros64(reached)
		last := min(mathbits.Len64(reached)+e.gap, reachable-1, len(words)-1)
		var next uint64
		for j := first + 1; j <= last && words[j].sentence == words[0].sentence; j++ {
			near := uint64(1)<<j - uint64(1)<<max(0, j-e.gap-1)
			if reached&near != 0 && words[j].classes.overlaps(&e.classes) {
				next |= 1 << j
			}
		}
		if reached = next; reached == 0 {
			return -1
		}
	}
	return mathbits.TrailingZeros64(reached)
}
