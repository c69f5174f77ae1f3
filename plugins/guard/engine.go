package guard

import (
	"fmt"
	"slices"
	"sync"
)

// engine is all that is read from the embedded files, ready to search. It is
// immutable and safe for concurrent use.
type engine struct {
	tables       *tables
	rules        []rule
	builtin      map[string]*rule // by detector
	instructions *instructions
	lexicon      *lexicon
	grammar      *grammar
	secrets      *secretFile
	searcher     *searcher
	// values finds what only our rules for short arguments look for, so that no
	// other text pays for their strings, nor a start that sees no request.
	values     func() (*searcher, error)
	valueRoles roleSet // what values is for
}

// owner says what a probe belongs to. Exactly one member is set.
type owner struct {
	rule    *rule
	feature *feature
	secret  *secretRule
}

// loadEngine builds the engine once per process, when it is first needed.
var loadEngine = sync.OnceValues(func() (*engine, error) { return newEngine() })

// newEngine reads the embedded files and adds a user's rules, which are
// prepared.
func newEngine(own ...rule) (*engine, error) {
	e := &engine{tables: newTables(), builtin: map[string]*rule{}}
	var err error
	if e.rules, err = loadRules(); err != nil {
		return nil, err
	}
	embedded := len(e.rules)
	e.rules = append(e.rules, own...)
	if e.instructions, err = loadInstructions(); err != nil {
		return nil, err
	}
	if e.lexicon, err = loadLexicon(e.instructions); err != nil {
		return nil, err
	}
	if e.grammar, err = loadGrammar(e.instructions); err != nil {
		return nil, err
	}
	if e.secrets, err = loadSecrets(); err != nil {
		return nil, err
	}
	if err := e.build(embedded); err != nil {
		return nil, err
	}
	return e, nil
}

// build makes the searchers of all that the engine has. The first embedded
// rules are our own.
func (e *engine) build(embedded int) error {
	var general, values []*rule
	for i := range e.rules {
		switch r := &e.rules[i]; {
		case r.Builtin != "":
			e.builtin[r.Builtin] = r
		case i < embedded && r.readsValuesOnly():
			e.valueRoles |= r.roles
			values = append(values, r)
		default:
			general = append(general, r)
		}
	}
	e.values = sync.OnceValues(func() (*searcher, error) {
		probes, err := newProbesOf(ruleSources(values))
		if err != nil {
			return nil, err
		}
		return newSearcher(probes)
	})
	probes, err := newProbesOf(append(ruleSources(general), e.sources()...))
	if err != nil {
		return err
	}
	e.searcher, err = newSearcher(probes)
	return err
}

// source is a pattern and all that decides what probes come of it.
type source struct {
	owner       owner
	name        string // for errors
	pattern     string
	keywords    []string
	group       int
	repeat      int
	reading     reading
	token, made bool
}

// ruleSources lists the patterns of rules.
func ruleSources(rules []*rule) []source {
	list := make([]source, 0, len(rules))
	for _, r := range rules {
		s := source{
			owner: owner{rule: r}, name: "rule " + r.ID, pattern: r.Pattern, keywords: r.Keywords, group: r.Group,
			repeat: looseRepeat, reading: asFolded,
		}
		if machineMade(r.Check) {
			s.repeat, s.token, s.made = tokenRepeat, true, true
		}
		list = append(list, s)
	}
	return list
}

// sources lists the patterns of all features and secret rules.
func (e *engine) sources() []source {
	list := make([]source, 0, len(e.instructions.Features)+len(e.secrets.Rules))
	for i := range e.instructions.Features {
		f := &e.instructions.Features[i]
		list = append(list, source{
			owner: owner{feature: f}, name: "feature of group " + f.Group, pattern: f.Pattern, keywords: f.Keywords,
			repeat: looseRepeat, reading: asFolded,
		})
	}
	for i := range e.secrets.Rules {
		r := &e.secrets.Rules[i]
		s := source{
			owner: owner{secret: r}, name: "secret rule " + r.ID, pattern: r.Regex, keywords: r.Keywords, group: firstGroup,
			repeat: secretRepeat, reading: asIs, token: slices.Contains(tokenRules[:], r.ID),
		}
		if r.Group > 0 {
			s.group = r.Group
		}
		list = append(list, s)
	}
	return list
}

// newProbesOf lists what sources look for.
func newProbesOf(sources []source) ([]probe, error) {
	all := make([]probe, 0, 2*len(sources))
	for i := range sources {
		s := &sources[i]
		p, err := newProbes(s.owner, s.pattern, s.keywords, s.group, s.repeat)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", s.name, err)
		}
		for j := range p {
			p[j].reading, p[j].token, p[j].made = s.reading, s.token, s.made
		}
		all = append(all, p...)
	}
	return all, nil
}
