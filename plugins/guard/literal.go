package guard

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// Limits of literal sets: more strings than that narrow nothing, and shorter
// ones are everywhere.
const (
	maxStrings = 64
	minLiteral = 3
	smallClass = 4
	// longLiteral is from where on more bytes of a string narrow nothing.
	longLiteral = 12
)

// weight grades how much a set of strings narrows a search: by its shortest.
func weight(set []string) int {
	n := len(set[0])
	for _, s := range set {
		n = min(n, len(s))
	}
	return n
}

// shortened leaves out strings that contain another one of the set and cuts
// long ones down to their ends.
func shortened(set []string) []string {
	set = slices.Clone(set)
	slices.SortStableFunc(set, func(a, b string) int { return len(a) - len(b) })
	kept := set[:0]
	for _, s := range set {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.Contains(s, k) }) {
			kept = append(kept, s)
		}
	}
	for i, s := range kept {
		kept[i] = s[max(0, len(s)-longLiteral):]
	}
	return kept
}

// needs is what is known about the matches of an expression: the finite set of
// them, or clauses that hold in each.
type needs struct {
	exact   []string // nil: not finite, or too many
	clauses [][]string
}

// all returns the clauses, the exact set among them when it is good enough.
func (n needs) all() [][]string {
	if usable(n.exact) {
		return append(slices.Clone(n.clauses), n.exact)
	}
	return n.clauses
}

func usable(set []string) bool {
	return len(set) > 0 && weight(set) >= minLiteral
}

func analyse(re *syntax.Regexp) needs {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return needs{exact: []string{""}}
	case syntax.OpLiteral:
		return needs{exact: []string{strings.ToLower(string(re.Rune))}}
	case syntax.OpCharClass:
		return needs{exact: classStrings(re.Rune)}
	case syntax.OpCapture:
		return analyse(re.Sub[0])
	case syntax.OpQuest:
		if n := analyse(re.Sub[0]); n.exact != nil {
			return needs{exact: union(n.exact, []string{""})}
		}
	case syntax.OpPlus:
		return needs{clauses: analyse(re.Sub[0]).all()}
	case syntax.OpRepeat:
		n := analyse(re.Sub[0])
		if n.exact != nil && re.Max > 0 && re.Max <= smallClass && len(n.exact) == 1 {
			return needs{exact: powers(n.exact[0], re.Min, re.Max)}
		}
		if re.Min > 0 {
			return needs{clauses: n.all()}
		}
	case syntax.OpConcat:
		return concat(re.Sub)
	case syntax.OpAlternate:
		return alternate(re.Sub)
	default: // everything else may match anything
	}
	return needs{}
}

// classStrings returns the characters of a small class.
func classStrings(ranges []rune) []string {
	var set []string
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(set) == smallClass {
				return nil
			}
			if s := string(unicode.ToLower(r)); !slices.Contains(set, s) {
				set = append(set, s)
			}
		}
	}
	return set
}

// concat joins exact sets as long as they stay small, and starts a new clause
// where they do not.
func concat(subs []*syntax.Regexp) needs {
	var clauses [][]string
	open, finite := []string{""}, true
	flush := func() {
		if usable(open) {
			clauses = append(clauses, open)
		}
		open, finite = []string{""}, false
	}
	for _, sub := range subs {
		n := analyse(sub)
		switch {
		case n.exact == nil:
			flush()
			clauses = append(clauses, n.clauses...)
		case len(open)*len(n.exact) <= maxStrings:
			open = product(open, n.exact)
		default:
			flush()
			open = n.exact
		}
	}
	if finite {
		return needs{exact: open}
	}
	flush()
	return needs{clauses: clauses}
}

// alternate joins what the branches need: (a and b) or (c and d) implies
// (a or c) and (b or d).
func alternate(subs []*syntax.Regexp) needs {
	exact := []string{}
	branches := make([][][]string, len(subs))
	shortest := -1
	for i, sub := range subs {
		n := analyse(sub)
		if exact != nil && n.exact != nil {
			exact = union(exact, n.exact)
		} else {
			exact = nil
		}
		branches[i] = n.all()
		slices.SortStableFunc(branches[i], func(a, b []string) int { return weight(b) - weight(a) })
		if shortest < 0 || len(branches[i]) < shortest {
			shortest = len(branches[i])
		}
	}
	if exact != nil {
		return needs{exact: exact}
	}
	var clauses [][]string
	for i := range shortest {
		var set []string
		for _, b := range branches {
			set = append(set, b[i]...)
		}
		if len(set) <= 4*maxStrings {
			clauses = append(clauses, set)
		}
	}
	return needs{clauses: clauses}
}

// powers returns s repeated from least to most times.
func powers(s string, least, most int) []string {
	out := make([]string, 0, most-least+1)
	for n := least; n <= most; n++ {
		out = append(out, strings.Repeat(s, n))
	}
	return out
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > 4*maxStrings {
		return nil
	}
	return out
}

func product(a, b []string) []string {
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, x+y)
		}
	}
	return out
}
