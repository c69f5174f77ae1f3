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
		probes, err := ruleProbes(values)
		if err != nil {
			return nil, err
		}
		return newSearcher(probes)
	})
	probes, err := e.probes(general)
	if err != nil {
		return err
	}
	e.searcher, err = newSearcher(probes)
	return err
}

// ruleProbes lists what rules look for.
func ruleProbes(rules []*rule) ([]probe, error) {
	var all []probe
	for _, r := range rules {
		repeat := looseRepeat
		if machineMade(r.Check) {
			repeat = tokenRepeat
		}
		p, err := newProbes(owner{rule: r}, r.Pattern, r.Keywords, r.Group, repeat)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.ID, err)
		}
		for j := range p {
			p[j].token, p[j].made = machineMade(r.Check), machineMade(r.Check)
		}
		all = append(all, p...)
	}
	return all, nil
}

// probes lists what rules, and all features and secret rules look for.
func (e *engine) probes(rules []*rule) ([]probe, error) {
	all, err := ruleProbes(rules)
	if err != nil {
		return nil, err
	}
	for i := range e.instructions.Features {
		f := &e.instructions.Features[i]
		p, err := newProbes(owner{feature: f}, f.Pattern, f.Keywords, 0, looseRepeat)
		if err != nil {
			return nil, fmt.Errorf("feature of group %q: %w", f.Group, err)
		}
		all = append(all, p...)
	}
	for i := range e.secrets.Rules {
		r := &e.secrets.Rules[i]
		group := firstGroup
		if r.Group > 0 {
			group = r.Group
		}
		p, err := newProbes(owner{secret: r}, r.Regex, r.Keywords, group, secretRepeat)
		if err != nil {
			return nil, fmt.Errorf("secret rule %q: %w", r.ID, err)
		}
		for j := range p {
			p[j].reading = asIs
			p[j].token = slices.Contains(tokenRules[:], r.ID)
		}
		all = append(all, p...)
	}
	return all, nil
}
