package guard

import (
	"errors"
	"fmt"
	mathbits "math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mcp-relay/relay/scanner"
)

// sayingDir has the sayings and the classes of words that they are made of.
const sayingDir = "rules/saying"

// sayingFile is one file of them.
type sayingFile struct {
	Version int                 `yaml:"version"`
	Words   map[string][]string `yaml:"words"`
	Common  []string            `yaml:"common"` // classes found in most sentences
	Sayings []saying            `yaml:"sayings"`
}

// saying is a way to say something: word classes in their order inside of one
// sentence. It counts for its group like a feature does.
type saying struct {
	Group  string   `yaml:"group"`
	Points int      `yaml:"points"`
	Phases []string `yaml:"phases"` // empty: what comes from a server and is no definition
	Say    []string `yaml:"say"`
	Hit    []string `yaml:"hit"`
	Miss   []string `yaml:"miss"`

	group  int
	phases [phaseCount]bool
}

// wording is one line of a saying, ready to match.
type wording struct {
	*saying
	say      string // as it is written
	elements []place
}

// element is one place of a wording.
type place struct {
	any    anyOf
	order  mood // told: does not matter
	first  bool // must begin what can be a sentence
	called bool // must be somebody who is spoken to
	gap    int  // how many words may stand before it
}

// defaultGap is how many words may stand between two elements.
const defaultGap = 3

// grammar finds sayings in text. It is immutable and safe for concurrent use.
type grammar struct {
	vocabulary *vocabulary
	sayings    []saying
	anchors    [maxWordClasses][]*wording // by the class that is looked for first
	anchored   [phaseCount]wordSet        // by phase: the classes that anchors has
	phases     [phaseCount]bool           // in which there are sayings
	readers    sync.Pool                  // *reader
}

var errPlace = errors.New("a saying has one to nine places, each a class in capitals or words in lower case, and gaps as ~4")

// loadGrammar reads the embedded words and sayings; in has the groups.
func loadGrammar(in *instructions) (*grammar, error) {
	words, common := map[string][]string{}, []string{}
	g := &grammar{}
	err := eachRuleFile(sayingDir, func(name string) error {
		var part sayingFile
		if err := readRuleFile(name, &part); err != nil {
			return err
		}
		for class, list := range part.Words {
			words[class] = append(words[class], list...)
		}
		common = append(common, part.Common...)
		g.sayings = append(g.sayings, part.Sayings...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range g.sayings {
		for _, say := range g.sayings[i].Say {
			literals(say, words)
		}
	}
	if g.vocabulary, err = newVocabulary(words); err != nil {
		return nil, err
	}
	g.readers.New = func() any { return &reader{vocabulary: g.vocabulary} }
	for i := range g.sayings {
		if err := g.prepare(&g.sayings[i], in, common); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// literals makes a class of the words that one place of a saying names itself.
func literals(say string, words map[string][]string) {
	for part := range strings.FieldsSeq(say) {
		if !strings.HasPrefix(part, "~") {
			if own, _ := alternatives(part); len(own) > 0 {
				words[strings.Join(own, "|")] = own
			}
		}
	}
}

// alternatives takes one place apart into words of its own, where - stands for
// a space, and names of classes.
func alternatives(part string) (own, named []string) {
	for a := range strings.SplitSeq(strings.TrimLeft(part, "!^%@"), "|") {
		if a == strings.ToLower(a) {
			own = append(own, a)
		} else {
			named = append(named, a)
		}
	}
	return own, named
}

// prepare checks one saying and files its wordings under their anchors.
func (g *grammar) prepare(p *saying, in *instructions, common []string) error {
	p.group = slices.IndexFunc(in.Groups, func(f featureGroup) bool { return f.Name == p.Group })
	if p.group < 0 {
		return fmt.Errorf("saying %q: %w", p.Group, errGroup)
	}
	for ph := scanner.PhaseDefinition; int(ph) < phaseCount; ph++ {
		p.phases[ph] = contains(p.Phases, ph.String()) || len(p.Phases) == 0 &&
			(ph == scanner.PhaseResponse || ph == scanner.PhaseServerRequest || ph == scanner.PhaseNotification)
		g.phases[ph] = g.phases[ph] || p.phases[ph]
	}
	for _, say := range p.Say {
		w := &wording{saying: p, say: say}
		anchors, err := g.compile(w, common)
		if err != nil {
			return fmt.Errorf("saying %q: %w", say, err)
		}
		for _, id := range anchors {
			g.anchors[id] = append(g.anchors[id], w)
			for ph := range p.phases {
				if p.phases[ph] {
					g.anchored[ph].add(id)
				}
			}
		}
	}
	return nil
}

// compile reads the places of a wording and returns the classes by which it is
// found: those of the rarest place. That is none that is common, and rather
// one class than several.
func (g *grammar) compile(w *wording, common []string) (anchors []int, err error) {
	best := 0
	gap := defaultGap
	for part := range strings.FieldsSeq(w.say) {
		if n, ok := strings.CutPrefix(part, "~"); ok {
			if gap, err = strconv.Atoi(n); err != nil {
				return nil, errPlace
			}
			continue
		}
		e, ids, err := g.element(part)
		if err != nil {
			return nil, err
		}
		e.gap, gap = gap, defaultGap
		w.elements = append(w.elements, e)
		rank := len(ids)
		for _, name := range common {
			if id, ok := g.vocabulary.ids[name]; ok && slices.Contains(ids, id) {
				rank += commonRank
			}
		}
		if anchors == nil || rank < best {
			best, anchors = rank, ids
		}
	}
	if len(w.elements) < 1 || len(w.elements) > maxPlaces {
		return nil, errPlace
	}
	return anchors, nil
}

// How many places a wording has at most, and how much rather than a common
// class several others are looked for.
const (
	maxPlaces  = 9
	commonRank = 10
)

// element reads one place: !X is ordered, ^X forbidden, %X begins a sentence,
// @X is spoken to.
func (g *grammar) element(s string) (place, []int, error) {
	var e place
	switch s[0] {
	case '!':
		e.order = ordered
	case '^':
		e.order = forbidden
	case '%':
		e.first = true
	case '@':
		e.called = true
	}
	var ids []int
	own, named := alternatives(s)
	if len(own) > 0 {
		named = append(named, strings.Join(own, "|"))
	}
	for _, name := range named {
		id, ok := g.vocabulary.ids[name]
		if !ok {
			return e, nil, fmt.Errorf("%q: %w", name, errPlace)
		}
		e.any.add(id)
		ids = append(ids, id)
	}
	return e, ids, nil
}

// find calls each for every saying in text, until b is spent.
func (g *grammar) find(phase scanner.Phase, text string, b *budget, each func(trait)) {
	r := g.readers.Get().(*reader) //nolint:errcheck,forcetypeassert // only these are in the pool
	defer func() {
		r.text, r.wanted = "", nil
		g.readers.Put(r)
	}()
	anchored := &g.anchored[phase]
	r.wanted = func(all *wordSet) bool {
		r.matched = r.matched[:0]
		for block, set := range all {
			for set &= anchored[block]; set != 0; set &= set - 1 {
				for _, w := range g.anchors[block*64+mathbits.TrailingZeros64(set)] {
					if w.phases[phase] && w.possible(all) {
						r.matched = append(r.matched, w)
					}
				}
			}
		}
		return len(r.matched) > 0 && b.take(len(r.words)*len(r.matched))
	}
	r.read(text, func(words []token) {
		for _, w := range r.matched {
			if at, ok := w.match(words); ok {
				each(trait{w.group, w.Points, at})
			}
		}
	})
}

// possible reports whether words of such classes have one for each place.
func (w *wording) possible(all *wordSet) bool {
	for i := range w.elements {
		if !w.elements[i].any.overlaps(all) {
			return false
		}
	}
	return true
}

// match returns the first place where the wording stands in a sentence.
func (w *wording) match(words []token) (span, bool) {
	tries := maxTries
	for i := range words {
		if !w.elements[0].fits(&words[i]) {
			continue
		}
		if last, ok := w.follow(words, 1, i, &tries); ok {
			return span{words[i].at.start, words[last].at.end}, true
		}
	}
	return span{}, false
}

// maxTries bounds what matching one wording in one sentence costs.
const maxTries = 200

// follow matches the elements from n on behind the word at i, the next fitting
// word first, and returns the last word.
func (w *wording) follow(words []token, n, i int, tries *int) (int, bool) {
	end := min(i+words[i].size-1, len(words)-1)
	if n == len(w.elements) {
		return end, true
	}
	e := &w.elements[n]
	// A word of a phrase may also stand for itself.
	for j := i + 1; j < len(words) && j <= end+1+e.gap; j++ {
		if !e.fits(&words[j]) {
			continue
		}
		if last, ok := w.follow(words, n+1, j, tries); ok {
			return last, true
		}
		if *tries--; *tries < 0 {
			break
		}
	}
	return 0, false
}

func (e *place) fits(w *token) bool {
	return w.known && e.any.overlaps(&w.classes) && (e.order == told || e.order == w.order) && (!e.first || w.fresh || w.order != told) &&
		(!e.called || w.called)
}
