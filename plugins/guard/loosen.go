package guard

import (
	"regexp/syntax"
	"slices"
	"unicode"
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

// loosen returns an expression that matches the lower-case form of every text
// that re matches, and of some more. The regexp package runs it several times
// faster: counted repetitions, which make programs large, become uncounted,
// letters need not be compared in both cases, and what may be missing at both
// ends is left out.
func loosen(re *syntax.Regexp) *syntax.Regexp {
	loose := lowered(re)
	if loose.Op == syntax.OpConcat {
		for len(loose.Sub) > 1 && optional(loose.Sub[0]) {
			loose.Sub = loose.Sub[1:]
		}
		for n := len(loose.Sub); n > 1 && optional(loose.Sub[n-1]); n = len(loose.Sub) {
			loose.Sub = loose.Sub[:n-1]
		}
	}
	return loose
}

// lowered copies re for lower-case text, without counted repetitions.
func lowered(re *syntax.Regexp) *syntax.Regexp {
	out := *re
	out.Flags &^= syntax.FoldCase
	switch re.Op {
	case syntax.OpLiteral:
		out.Rune = slices.Clone(re.Rune)
		for i, r := range out.Rune {
			out.Rune[i] = unicode.ToLower(r)
		}
	case syntax.OpCharClass:
		out.Rune = lowerClass(re.Rune)
	case syntax.OpRepeat:
		if re.Max > bigRepeat {
			out.Op, out.Min, out.Max = syntax.OpStar, 0, 0
			if re.Min > 0 {
				out.Op = syntax.OpPlus
			}
		}
	default:
	}
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, sub := range re.Sub {
		out.Sub[i] = lowered(sub)
	}
	return &out
}

// lowerClass adds to the ranges of a class the lower-case forms of its ASCII
// letters.
func lowerClass(ranges []rune) []rune {
	out := slices.Clone(ranges)
	for i := 0; i+1 < len(ranges); i += 2 {
		from, to := max(ranges[i], 'A'), min(ranges[i+1], 'Z')
		if from <= to {
			out = append(out, from+'a'-'A', to+'a'-'A')
		}
	}
	return sortedRanges(out)
}

// sortedRanges sorts and joins ranges, as syntax.Regexp needs them.
func sortedRanges(ranges []rune) []rune {
	pairs := make([][2]rune, 0, len(ranges)/2)
	for i := 0; i+1 < len(ranges); i += 2 {
		pairs = append(pairs, [2]rune{ranges[i], ranges[i+1]})
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return int(a[0]) - int(b[0]) })
	var out []rune
	for _, p := range pairs {
		if n := len(out); n > 0 && p[0] <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p[1])
			continue
		}
		out = append(out, p[0], p[1])
	}
	return out
}

// bigRepeat is the largest count of a repetition that stays counted.
const bigRepeat = 3

// optional reports whether re matches the empty string wherever it is.
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
