package guard

import (
	"regexp"
	"regexp/syntax"
	"sync"
)

// near says what else must be found, or must not, around a match.
type near struct {
	All    []string `yaml:"all"`
	Any    []string `yaml:"any"`
	None   []string `yaml:"none"`
	Within int      `yaml:"within"` // bytes on each side; 0: defaultWithin

	all, any, none []func() *regexp.Regexp
}

// Distances, in bytes.
const (
	defaultWithin = 200
	maxWithin     = 1 << 10
)

// prepare has the expressions compiled when they are first needed.
func (n *near) prepare() {
	if n.Within == 0 {
		n.Within = defaultWithin
	}
	lazy := func(patterns []string) []func() *regexp.Regexp {
		var list []func() *regexp.Regexp
		for _, p := range patterns {
			list = append(list, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(p) }))
		}
		return list
	}
	n.all, n.any, n.none = lazy(n.All), lazy(n.Any), lazy(n.None)
}

// patterns returns all expressions.
func (n *near) patterns() []string {
	return append(append(append([]string(nil), n.All...), n.Any...), n.None...)
}

// holds reports whether the surroundings of a match are as they must be. Where
// the budget is spent they are not looked at, and the match counts.
func (n *near) holds(text string, match span, b *budget) bool {
	if len(n.all)+len(n.any)+len(n.none) == 0 {
		return true
	}
	w := runeSpan(text, span{match.start - n.Within, match.end + n.Within})
	around := text[w.start:w.end]
	found := func(list []func() *regexp.Regexp, want bool) bool {
		for _, re := range list {
			if b.take(len(around)) && re().MatchString(around) == want {
				return true
			}
		}
		return false
	}
	return !found(n.all, false) && !found(n.none, true) && (len(n.any) == 0 || b.spent || found(n.any, true))
}

// checkPattern reports why pattern cannot be used, nil when it can.
func checkPattern(pattern string) error {
	if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
		return err //nolint:wrapcheck // it says which part of the expression is wrong
	}
	_, err := regexp.Compile(pattern)
	return err //nolint:wrapcheck // as above
}
