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
	// values finds what only the rules for short arguments look for, so that no
	// other text pays for their strings.
	values     *searcher
	valueRoles roleSet
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
	if err := e.build(); err != nil {
		return nil, err
	}
	return e, nil
}

// build makes the searchers of all that the engine has.
func (e *engine) build() error {
	probes, err := e.probes()
	if err != nil {
		return err
	}
	general, values := e.split(probes)
	if e.searcher, err = newSearcher(general); err != nil {
		return err
	}
	e.values, err = newSearcher(values)
	return err
}

// split separates the probes of the rules that read short arguments only.
func (e *engine) split(probes []probe) (general, values []probe) {
	for i := range probes {
		if r := probes[i].owner.rule; r != nil && r.readsValuesOnly() {
			e.valueRoles |= r.roles
			values = append(values, probes[i])
		} else {
			general = append(general, probes[i])
		}
	}
	return general, values
}

// probes lists what all rules, features and secret rules look for.
func (e *engine) probes() ([]probe, error) {
	var all []probe
	for i := range e.rules {
		r := &e.rules[i]
		if r.Builtin != "" {
			e.builtin[r.Builtin] = r
			continue
		}
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
