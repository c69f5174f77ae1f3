package guard

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"
)

// expression is a regular expression that is compiled when it is first needed:
// most never are. It is safe for concurrent use.
type expression struct {
	source  string
	exactly sync.Once
	loosely sync.Once
	moves   sync.Once
	exact   *regexp.Regexp
	lower   *regexp.Regexp
	quick   *matcher
}

func (e *expression) regexp() *regexp.Regexp {
	e.exactly.Do(func() { e.exact = regexp.MustCompile(e.source) })
	return e.exact
}

// loose matches, in lower-case text, wherever regexp does, and faster.
func (e *expression) loose() *regexp.Regexp {
	e.loosely.Do(func() { e.lower = regexp.MustCompile(e.loosened().String()) })
	return e.lower
}

// matcher is the same, faster still; nil when there is none.
func (e *expression) matcher() *matcher {
	e.moves.Do(func() { e.quick = newMatcher(e.loosened()) })
	return e.quick
}

func (e *expression) loosened() *syntax.Regexp {
	tree, err := syntax.Parse(e.source, syntax.Perl)
	if err != nil {
		panic(err) // it was written by the package that now reads it
	}
	return loosen(tree)
}

// newBranches takes a pattern apart, as a whole or by its alternatives.
func newBranches(pattern string, keywords []string, whole bool, repeat int) ([]branch, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("parse the pattern: %w", err)
	}
	trees := []*syntax.Regexp{tree}
	if !whole {
		trees = branches(tree)
	}
	parts := make([]branch, 0, len(trees))
	for _, t := range trees {
		p := newPlan(t, keywords, repeat)
		if len(p.clauses) == 0 || slices.Contains(keywords, "") {
			return nil, fmt.Errorf("%q: %w", t, errNoKeywords)
		}
		parts = append(parts, branch{
			Expression: t.String(), Clauses: branchClauses(p.clauses), Weak: branchClauses(p.weak), Total: p.total, OneLine: p.oneLine,
		})
	}
	return parts, nil
}

func branchClauses(list []clause) []branchClause {
	out := make([]branchClause, len(list))
	for i, c := range list {
		out[i] = branchClause{c.strings, c.order, c.high, c.low, c.longest}
	}
	return out
}

func (p *branch) plan() plan {
	clauses := func(list []branchClause) []clause {
		out := make([]clause, len(list))
		for i, c := range list {
			out[i] = clause{c.Strings, c.Order, c.High, c.Low, c.Longest}
		}
		return out
	}
	return plan{clauses: clauses(p.Clauses), weak: clauses(p.Weak), total: p.Total, oneLine: p.OneLine}
}
