package guard

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// reading says which view of a text a probe reads.
type reading uint8

const (
	asFolded reading = 1 << iota // what a reader sees
	asIs                         // the bytes, for secrets
)

// probe is one expression to look for, with the strings without which it
// cannot match.
type probe struct {
	owner   owner
	reading reading
	plan
	*expression
	group int // which group of the expression is reported, or firstGroup
}

// firstGroup reports the first group that took part in the match.
const firstGroup = -1

// Limits of expressions, in bytes.
const (
	maxReach = 1 << 10 // of the expressions of our own rules
	// looseRepeat is what an unbounded repetition counts in our own rules,
	// tokenRepeat in those that look for tokens, and secretRepeat in secret
	// rules, where keys can be long.
	looseRepeat  = 48
	tokenRepeat  = 400
	secretRepeat = 4 << 10
	// slack is how much wider than the longest match a window is on each side.
	slack = 4
)

var errNoKeywords = errors.New("no keywords: name words of which every match contains one, in lower case")

// newProbes checks pattern and takes it apart into probes. Where keywords are
// given, every match must have one of them. Nothing is compiled yet.
func newProbes(o owner, pattern string, keywords []string, group, repeat int) ([]probe, error) {
	whole := group != 0 || len(keywords) > 0
	parts := loadCompiled().branches(planKey(pattern, keywords, whole, repeat))
	if parts == nil {
		var err error
		if parts, err = newBranches(pattern, keywords, whole, repeat); err != nil {
			return nil, err
		}
	}
	probes := make([]probe, len(parts))
	for i := range parts {
		probes[i] = probe{
			owner: o, reading: asFolded, group: group,
			plan: parts[i].plan(), expression: &expression{source: parts[i].Expression},
		}
	}
	return probes, nil
}

// found is one match of one probe, in offsets of the view.
type found struct {
	owner owner
	at    span   // what is reported
	match span   // what the whole expression matched
	text  string // the view's text
}

// budget counts the bytes that expressions may still read for one message, and
// ends with its context.
type budget struct {
	left  int
	spent bool
	done  <-chan struct{} // nil: never
}

// take reports whether n bytes may be read, and counts them.
func (b *budget) take(n int) bool {
	select {
	case <-b.done:
		b.spent = true
		return false
	default:
	}
	if n > b.left {
		b.spent = true
		return false
	}
	b.left -= n
	return true
}

// searcher finds what many probes look for: first the strings of all of them,
// in one pass, then the expressions around places where all their clauses are.
type searcher struct {
	probes    []probe
	first     []int // probe -> its first clause, of all clauses in a row
	automaton *automaton
	users     [][]uint16 // string -> clauses
	hints     []hint     // string -> what it says about the text
	places    sync.Pool  // *[][]int32: clause -> where its strings ended
}

// newSearcher builds the automaton over the strings of all probes.
func newSearcher(probes []probe) (*searcher, error) {
	s := &searcher{probes: probes}
	count := 0
	for i := range probes {
		for _, c := range probes[i].clauses {
			count += len(c.strings)
		}
	}
	ids := make(map[string]int, count)
	words := make([]string, 0, count)
	clauses := 0
	for _, p := range probes {
		s.first = append(s.first, clauses)
		for _, c := range p.clauses {
			for _, w := range c.strings {
				w = strings.ToLower(w)
				id, ok := ids[w]
				if !ok {
					id = len(words)
					ids[w] = id
					words = append(words, w)
					s.users = append(s.users, nil)
				}
				s.users[id] = append(s.users[id], uint16(clauses)) //nolint:gosec // checked below
			}
			clauses++
		}
	}
	if clauses > maxStates {
		return nil, errStates
	}
	for w, h := range hintWords() {
		id, ok := ids[w]
		if !ok {
			id = len(words)
			ids[w] = id
			words = append(words, w)
			s.users = append(s.users, nil)
		}
		s.hints = append(s.hints, make([]hint, len(words)-len(s.hints))...)
		s.hints[id] |= h
	}
	var err error
	if s.automaton, err = newAutomaton(words); err != nil {
		return nil, err
	}
	s.places.New = func() any { p := make([][]int32, clauses); return &p }
	return s, nil
}

// search calls each for every match in text of the probes that are wanted, and
// returns what strings say about the text. It stops using expressions when b is
// spent.
func (s *searcher) search(text string, wanted func(*probe) bool, b *budget, each func(found)) hint {
	var hints hint
	pooled := s.places.Get().(*[][]int32) //nolint:errcheck,forcetypeassert // only these are in the pool
	defer s.places.Put(pooled)
	places := *pooled
	s.automaton.find(text, func(word uint16, end int) {
		hints |= s.hints[word]
		for _, c := range s.users[word] {
			places[c] = append(places[c], int32(end)) //nolint:gosec // pieces are small
		}
	})
	tokens := sync.OnceValue(func() []int32 { return tokenStarts(text) })
	made := sync.OnceValue(func() []int32 { return randomStarts(text) })
	for i := range s.probes {
		p := &s.probes[i]
		own := places[s.first[i] : s.first[i]+len(p.clauses)]
		if !allFound(own) || !wanted(p) {
			continue
		}
		near := tokens
		if p.made {
			near = made
		}
		for _, w := range p.windows(text, own, near) {
			p.apply(text, w, b, each)
		}
	}
	for c := range places {
		places[c] = places[c][:0]
	}
	return hints
}

// minToken is the length of the shortest word that can be a generic secret.
const minToken = 10

// tokenStarts returns where tokens start: words that are long and have a digit.
func tokenStarts(text string) []int32 {
	var starts []int32
	for at := tokenBytes.run(text, 0, minToken); at.start < at.end; at = tokenBytes.run(text, at.end, minToken) {
		if hasDigit(text[at.start:at.end]) {
			starts = append(starts, int32(at.start)) //nolint:gosec // pieces are small
		}
	}
	return starts
}

// randomStarts returns where tokens start that look made by chance.
func randomStarts(text string) []int32 {
	var starts []int32
	for at := randomBytes.run(text, 0, minToken); at.start < at.end; at = randomBytes.run(text, at.end, minToken) {
		if s := text[at.start:at.end]; hasDigit(s) && random(s) {
			starts = append(starts, int32(at.start)) //nolint:gosec // pieces are small
		}
	}
	return starts
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			return true
		}
	}
	return false
}

func tokenByte(c byte) bool { return tokenBytes.has(c) }

func allFound(places [][]int32) bool {
	for _, p := range places {
		if len(p) == 0 {
			return false
		}
	}
	return true
}

// tokenDistance is how far behind a keyword a token can start, in bytes.
const tokenDistance = 48

// tokenNear reports whether a token that is not over yet at the place starts
// soon after it or a little before.
func tokenNear(starts []int32, at int) bool {
	i, _ := slices.BinarySearch(starts, int32(max(at-tokenDistance, 0))) //nolint:gosec // pieces are small
	return i < len(starts) && int(starts[i]) <= at+tokenDistance
}

// apply runs the probe's expression inside one window.
func (p *probe) apply(text string, w span, b *budget, each func(found)) {
	w = runeSpan(text, w)
	if !b.take(w.end - w.start) {
		return
	}
	// A match that touches a window's edge inside a line owes to the edge: the
	// window is wider than any match around the string.
	cutFront := w.start > 0 && text[w.start-1] != '\n'
	cutBack := w.end < len(text) && text[w.end] != '\n'
	may, known := p.matcher().match(text[w.start:w.end])
	if !known {
		may = p.loose().MatchString(strings.ToLower(text[w.start:w.end]))
	}
	if !may {
		return
	}
	for _, m := range p.regexp().FindAllStringSubmatchIndex(text[w.start:w.end], -1) {
		match := span{m[0] + w.start, m[1] + w.start}
		if cutFront && match.start == w.start || cutBack && match.end == w.end {
			continue
		}
		if at := p.reported(m, match, w.start); at.start < at.end {
			each(found{p.owner, at, match, text})
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

func wordByte(c byte) bool { return wordBytes.has(c) }
