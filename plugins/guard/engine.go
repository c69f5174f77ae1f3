package guard

import (
	"fmt"
	"sync"
)

// engine is all that is read from the embedded files, ready to search. It is
// immutable and safe for concurrent use.
type engine struct {
	tables       *tables
	rules        []rule
	builtin      map[string]*rule // by detector
	instructions *instructions
	secrets      *secretFile
	searcher     *searcher
	owners       []owner // of the searcher's probes
}

// owner says what a probe belongs to. Exactly one member is set.
type owner struct {
	rule    *rule
	feature *feature
	secret  *secretRule
}

// loadEngine builds the engine once per process, when it is first needed.
var loadEngine = sync.OnceValues(newEngine)

func newEngine() (*engine, error) {
	e := &engine{tables: newTables(), builtin: map[string]*rule{}}
	var err error
	if e.rules, err = loadRules(); err != nil {
		return nil, err
	}
	if e.instructions, err = loadInstructions(); err != nil {
		return nil, err
	}
	if e.secrets, err = loadSecrets(); err != nil {
		return nil, err
	}
	var probes []probe
	add := func(p probe, o owner) {
		probes = append(probes, p)
		e.owners = append(e.owners, o)
	}
	for i := range e.rules {
		r := &e.rules[i]
		if r.Builtin != "" {
			e.builtin[r.Builtin] = r
			continue
		}
		p, err := newProbe(r.Keywords, r.Pattern, looseRepeat)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.ID, err)
		}
		p.group = r.Group
		add(p, owner{rule: r})
	}
	for i := range e.instructions.Features {
		f := &e.instructions.Features[i]
		p, err := newProbe(f.Keywords, f.Pattern, looseRepeat)
		if err != nil {
			return nil, fmt.Errorf("feature of group %q: %w", f.Group, err)
		}
		add(p, owner{feature: f})
	}
	for i := range e.secrets.Rules {
		r := &e.secrets.Rules[i]
		p, err := newProbe(r.Keywords, r.Regex, secretRepeat)
		if err != nil {
			return nil, fmt.Errorf("secret rule %q: %w", r.ID, err)
		}
		p.reading = asIs
		p.group = firstGroup
		if r.Group > 0 {
			p.group = r.Group
		}
		add(p, owner{secret: r})
	}
	e.searcher = newSearcher(probes)
	return e, nil
}
