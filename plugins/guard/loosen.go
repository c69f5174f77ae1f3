package guard

import (
	"regexp/syntax"
	"slices"
)

// branches takes an expression that is a choice apart, so that each part is
// searched for by its own strings.
func branches(re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpAlternate:
		return re.Sub
	case syntax.OpConcat:
		last := len(re.Sub) - 1
		for _, sub := range re.Sub[:last] {
			if sub.Op != syntax.OpWordBoundary {
				return []*syntax.Regexp{re}
			}
		}
		if re.Sub[last].Op != syntax.OpAlternate {
			return []*syntax.Regexp{re}
		}
		out := make([]*syntax.Regexp, 0, len(re.Sub[last].Sub))
		for _, choice := range re.Sub[last].Sub {
			part := &syntax.Regexp{Op: syntax.OpConcat, Flags: re.Flags, Sub: slices.Clone(re.Sub[:last])}
			if choice.Op == syntax.OpConcat {
				part.Sub = append(part.Sub, choice.Sub...)
			} else {
				part.Sub = append(part.Sub, choice)
			}
			out = append(out, part)
		}
		return out
	default:
		return []*syntax.Regexp{re}
	}
}

// longest returns an upper bound for the bytes that re matches, where an
// unbounded repetition counts as repeat times.
func longest(re *syntax.Regexp, repeat int) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(string(re.Rune))
		if re.Flags&syntax.FoldCase != 0 {
			n += len(re.Rune) // a letter's other case may be longer
		}
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	case syntax.OpStar, syntax.OpPlus:
		n = repeat * longest(re.Sub[0], 1)
	case syntax.OpQuest, syntax.OpCapture:
		n = longest(re.Sub[0], repeat)
	case syntax.OpRepeat:
		times := re.Max
		if times < 0 {
			times = re.Min + repeat
		}
		n = times * longest(re.Sub[0], repeat)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += longest(sub, repeat)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n = max(n, longest(sub, repeat))
		}
	default: // assertions match nothing
	}
	return min(n, 4*secretRepeat)
}

// bigRepeat is the largest count of a repetition that loosen keeps.
const bigRepeat = 3

// loosen returns an expression that matches wherever re does and some places
// more, and is much smaller: counted repetitions become uncounted ones, and
// what may be missing at both ends is left out. The regexp package runs small
// programs several times faster. Nil: it would be no smaller.
func loosen(re *syntax.Regexp) *syntax.Regexp {
	loose, changed := uncounted(re)
	if loose.Op == syntax.OpConcat {
		for len(loose.Sub) > 1 && optional(loose.Sub[0]) {
			loose.Sub, changed = loose.Sub[1:], true
		}
		for n := len(loose.Sub); n > 1 && optional(loose.Sub[n-1]); n = len(loose.Sub) {
			loose.Sub, changed = loose.Sub[:n-1], true
		}
	}
	if !changed {
		return nil
	}
	return loose
}

// uncounted copies re with counted repetitions made uncounted.
func uncounted(re *syntax.Regexp) (*syntax.Regexp, bool) {
	out, changed := *re, false
	if re.Op == syntax.OpRepeat && re.Max > bigRepeat {
		changed = true
		out.Op = syntax.OpStar
		if re.Min > 0 {
			out.Op = syntax.OpPlus
		}
		out.Min, out.Max = 0, 0
	}
	out.Sub = slices.Clone(re.Sub)
	for i := range out.Sub {
		sub, c := uncounted(out.Sub[i])
		out.Sub[i] = sub
		changed = changed || c
	}
	return &out, changed
}

// optional reports whether re matches the empty string without looking at what
// is around it.
func optional(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpQuest, syntax.OpEmptyMatch:
		return true
	case syntax.OpRepeat:
		return re.Min == 0
	case syntax.OpCapture:
		return optional(re.Sub[0])
	default:
		return false
	}
}
