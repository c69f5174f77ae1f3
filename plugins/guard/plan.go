package guard

import (
	"regexp/syntax"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// plan says where an expression may match: every match has one string of each
// of its clauses, in their order and within known distances.
type plan struct {
	clauses []clause // searched for by the automaton
	weak    []clause // short strings, looked for beside the others only
	total   int      // upper bound for the bytes of a match
	token   bool     // a match also has a token, near the strings
	made    bool     // and the token looks made by chance
	oneLine bool     // a match has no line break
}

// clause is a set of lower-case strings of which every match has one.
type clause struct {
	strings []string
	order   int // among the clauses of the plan; unordered: anywhere
	// The end of the string is at most high bytes after the start of the match,
	// and at most total-low before its end.
	high, low int
	longest   int // of the strings, in bytes
}

// unordered marks a clause of keywords that the rule names.
const unordered = -1

// newPlan analyses re, where an unbounded repetition counts as repeat times.
func newPlan(re *syntax.Regexp, keywords []string, repeat int) plan {
	subs := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		subs = re.Sub
	}
	p := plan{oneLine: !breaksLine(re)}
	open := []string{""} // what the last elements can be
	flush := func() {
		p.add(open, p.total, p.total)
		open = []string{""}
	}
	for _, sub := range subs {
		n := analyse(sub)
		size := longest(sub, repeat)
		switch {
		case n.exact == nil:
			flush()
			for _, c := range n.clauses {
				p.add(c, p.total+size, p.total)
			}
			p.total += size
		case len(open)*len(n.exact) <= maxStrings:
			open = product(open, n.exact)
			p.total += size
		default:
			flush()
			open = n.exact
			p.total += size
		}
	}
	flush()
	if len(keywords) > 0 {
		p.clauses = append(p.clauses, clause{strings: keywords, order: unordered, high: p.total})
	}
	return p
}

// add notes a set of strings, when it narrows anything.
func (p *plan) add(set []string, high, low int) {
	if len(set) == 0 || weight(set) == 0 {
		return
	}
	c := clause{strings: shortened(set), order: len(p.clauses) + len(p.weak), high: high, low: low, longest: longestString(set)}
	// A string that stands for a longer one ends before it.
	c.low -= min(c.low, c.longest-weight(c.strings))
	if weight(set) >= minLiteral {
		p.clauses = append(p.clauses, c)
	} else {
		p.weak = append(p.weak, c)
	}
}

func longestString(set []string) int {
	n := 0
	for _, s := range set {
		n = max(n, len(s))
	}
	return n
}

// beside returns where c's string can end when a's ends at the place at.
func (p *plan) beside(a, c *clause, at int) span {
	switch {
	case a.order == unordered || c.order == unordered:
		return span{at - p.total, at + p.total}
	case c.order > a.order:
		return span{at, at + c.high - a.low}
	default:
		return span{at - a.high + c.low, at}
	}
}

// windows returns the ranges of text in which all clauses hold, seen from the
// clause that was found least. places holds where the strings of each clause
// end.
func (p *plan) windows(text string, places [][]int32, tokens func() []int32) []span {
	rarest := 0
	for i := range places {
		if len(places[i]) < len(places[rarest]) {
			rarest = i
		}
	}
	anchor := &p.clauses[rarest]
	var out []span
	for _, place := range places[rarest] {
		at := int(place)
		if !p.holds(text, places, rarest, at) || p.token && !tokenNear(tokens(), at) {
			continue
		}
		w := span{at - anchor.high - slack, at + p.total - anchor.low + slack}
		if p.oneLine {
			w = clip(text, w, at)
		}
		if p.token && w.end-at > longToken {
			w.end = tokenEnd(text, at+longToken, w.end)
		}
		// Windows are joined as long as they stay small: the regexp package is
		// several times faster on short texts.
		if n := len(out); n > 0 && w.start <= out[n-1].end && w.end-out[n-1].start <= max(joined, 2*(w.end-w.start)) {
			out[n-1].end = w.end
		} else {
			out = append(out, w)
		}
	}
	return out
}

// longToken is how far behind its string a match with a token is in the token, in
// bytes.
const longToken = 256

// tokenEnd returns where the token at a place is over, and a little more.
func tokenEnd(text string, at, limit int) int {
	limit = min(limit, len(text))
	for at < limit && tokenByte(text[at]) {
		at++
	}
	return min(at+slack, limit)
}

// joined is the size up to which windows are always joined, in bytes.
const joined = 512

// clip cuts w to the line in which at is.
func clip(text string, w span, at int) span {
	w.start, w.end = max(w.start, 0), min(w.end, len(text))
	if i := strings.LastIndexByte(text[w.start:at], '\n'); i >= 0 {
		w.start += i + 1
	}
	if i := strings.IndexByte(text[at:w.end], '\n'); i >= 0 {
		w.end = at + i
	}
	return w
}

// breaksLine reports whether re can match a line break.
func breaksLine(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, '\n')
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i] <= '\n' && '\n' <= re.Rune[i+1] {
				return true
			}
		}
		return false
	case syntax.OpAnyChar:
		return true
	default:
		return slices.ContainsFunc(re.Sub, breaksLine)
	}
}

// holds reports whether the other clauses are found beside the one at a place.
func (p *plan) holds(text string, places [][]int32, anchor, at int) bool {
	a := &p.clauses[anchor]
	line := span{at - 2*p.total, at + 2*p.total}
	if p.oneLine {
		line = clip(text, line, at)
	}
	for i := range p.clauses {
		if i == anchor {
			continue
		}
		w := p.beside(a, &p.clauses[i], at).within(line)
		list := places[i]
		j := sort.Search(len(list), func(j int) bool { return int(list[j]) >= w.start })
		if j == len(list) || int(list[j]) > w.end {
			return false
		}
	}
	for i := range p.weak {
		c := &p.weak[i]
		w := p.beside(a, c, at)
		w.start -= c.longest
		if !containsAny(text[max(w.start, 0):min(max(w.end, 0), len(text))], c.strings) {
			return false
		}
	}
	return true
}

// containsAny reports whether text has one of the short lower-case strings.
func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	for i := range len(text) {
		if c := text[i]; upper(c) || c >= utf8.RuneSelf {
			lower := strings.ToLower(text[max(0, i-longestString(words)):])
			return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(lower, w) })
		}
	}
	return false
}
