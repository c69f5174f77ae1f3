package guard

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// reading says which view of a text a probe reads.
type reading uint8

const (
	asFolded reading = 1 << iota // what a reader sees
	asIs                         // the bytes, for secrets
)

// probe is one thing to look for in a view: keywords that the automaton finds
// and, when it has a pattern, an expression that must match around one.
type probe struct {
	keywords []string // lower-case
	reading  reading
	// reach is how many bytes from a keyword the expression may match: the
	// length of its longest match.
	reach  int
	regexp func() *regexp.Regexp // compiled on first use; nil: the keyword is the match
	group  int                   // which group of the expression is reported, or firstGroup
}

// firstGroup reports the first group that took part in the match.
const firstGroup = -1

// Limits of expressions, in bytes.
const (
	maxReach = 1 << 10 // of the expressions of our own rules
	// looseRepeat is what an unbounded repetition counts in our own rules, and
	// secretRepeat in secret rules, where tokens and keys can be long.
	looseRepeat  = 48
	secretRepeat = 4 << 10
)

// newProbe checks the expression and measures its reach. It does not compile.
func newProbe(keywords []string, pattern string, repeat int) (probe, error) {
	p := probe{reading: asFolded}
	for _, k := range keywords {
		if k == "" {
			return probe{}, errNoKeywords
		}
		p.keywords = append(p.keywords, strings.ToLower(k))
	}
	if len(p.keywords) == 0 {
		return probe{}, errNoKeywords
	}
	if pattern == "" {
		return p, nil
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return probe{}, fmt.Errorf("parse the pattern: %w", err)
	}
	p.reach = longest(tree, repeat) + slack
	p.regexp = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
	return p, nil
}

// slack is how much wider than the longest match a window is on each side.
const slack = 4

var errNoKeywords = errors.New("no keywords, or an empty one: name words of which every match contains one")

// longest returns an upper bound for the bytes that re matches, where an
// unbounded repetition counts as repeat times.
func longest(re *syntax.Regexp, repeat int) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
		if re.Flags&syntax.FoldCase != 0 || len(string(re.Rune)) > n {
			n = 3 * len(re.Rune) // K may match the Kelvin sign
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

// found is one match of one probe, in offsets of the view.
type found struct {
	probe int
	at    span   // what is reported
	match span   // what the whole expression matched
	text  string // the view's text
}

// budget counts the bytes that expressions may still read for one message.
type budget struct {
	left  int
	spent bool
}

// take reports whether n bytes may be read, and counts them.
func (b *budget) take(n int) bool {
	if n > b.left {
		b.spent = true
		return false
	}
	b.left -= n
	return true
}

// searcher finds what many probes look for.
type searcher struct {
	probes    []probe
	automaton *automaton
	users     [][]uint16 // keyword -> probes
	lengths   []int      // keyword -> bytes
	windows   sync.Pool  // *[][]span, one list per probe
}

// newSearcher builds the automaton over the keywords of all probes.
func newSearcher(probes []probe) *searcher {
	s := &searcher{probes: probes}
	ids := map[string]int{}
	var keywords []string
	for i, p := range probes {
		for _, k := range p.keywords {
			id, ok := ids[k]
			if !ok {
				id = len(keywords)
				ids[k] = id
				keywords = append(keywords, k)
				s.users = append(s.users, nil)
				s.lengths = append(s.lengths, len(k))
			}
			s.users[id] = append(s.users[id], uint16(i)) //nolint:gosec // the loader limits the number of probes
		}
	}
	s.automaton = newAutomaton(keywords)
	s.windows.New = func() any { w := make([][]span, len(probes)); return &w }
	return s
}

// search calls each for every match in text of the probes that wanted says.
// It stops using expressions when b is spent.
func (s *searcher) search(text string, wanted func(probe int) bool, b *budget, each func(found)) {
	windows := s.windows.Get().(*[][]span) //nolint:errcheck,forcetypeassert // only these are in the pool
	defer s.windows.Put(windows)
	var touched []uint16
	s.automaton.find(text, func(keyword uint16, end int) {
		start := end - s.lengths[keyword]
		for _, id := range s.users[keyword] {
			p := &s.probes[id]
			if p.regexp == nil {
				if wanted(int(id)) && wholeWord(text, start, end) {
					at := span{start, end}
					each(found{int(id), at, at, text})
				}
				continue
			}
			list := (*windows)[id]
			if len(list) == 0 {
				if !wanted(int(id)) {
					continue
				}
				touched = append(touched, id)
			}
			(*windows)[id] = addWindow(list, span{start - p.reach, end + p.reach})
		}
	})
	for _, id := range touched {
		for _, w := range (*windows)[id] {
			s.apply(text, int(id), w, b, each)
		}
		(*windows)[id] = (*windows)[id][:0]
	}
}

// addWindow adds w to list, in one with the last window when they touch.
func addWindow(list []span, w span) []span {
	if n := len(list); n > 0 && w.start <= list[n-1].end {
		list[n-1].end = max(list[n-1].end, w.end)
		return list
	}
	return append(list, w)
}

// apply runs a probe's expression inside one window.
func (s *searcher) apply(text string, id int, w span, b *budget, each func(found)) {
	w = runeSpan(text, w)
	if !b.take(w.end - w.start) {
		return
	}
	p := &s.probes[id]
	// A match that touches a window's edge owes to the edge: the window is wider
	// than any match around the keyword.
	cutFront, cutBack := w.start > 0, w.end < len(text)
	for _, m := range p.regexp().FindAllStringSubmatchIndex(text[w.start:w.end], -1) {
		match := span{m[0] + w.start, m[1] + w.start}
		if cutFront && match.start == w.start || cutBack && match.end == w.end {
			continue
		}
		if at := p.reported(m, match, w.start); at.start < at.end {
			each(found{id, at, match, text})
		}
	}
}

// reported returns what the submatches m, counted from base, report.
func (p *probe) reported(m []int, match span, base int) span {
	first, last := p.group, p.group
	if p.group == firstGroup {
		first, last = 1, len(m)/2-1
	}
	for g := max(first, 1); g <= last && 2*g < len(m); g++ {
		if m[2*g] >= 0 && m[2*g] < m[2*g+1] {
			return span{m[2*g] + base, m[2*g+1] + base}
		}
	}
	return match
}

// wholeWord reports whether text[start:end] does not go on as a word.
func wholeWord(text string, start, end int) bool {
	return (start == 0 || !wordByte(text[start]) || !wordByte(text[start-1])) &&
		(end == len(text) || !wordByte(text[end-1]) || !wordByte(text[end]))
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}
