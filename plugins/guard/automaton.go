package guard

import (
	"errors"
	"slices"
)

// automaton finds every occurrence of a set of keywords in one pass over a
// text (Aho-Corasick, as a table without failure links). ASCII letters match
// in either case. It is immutable after newAutomaton and safe for concurrent
// use.
type automaton struct {
	classes [256]uint8 // byte -> column; bytes in no keyword share column 0
	columns int
	next    []uint16   // state*columns + column -> state
	ends    [][]uint16 // state -> keywords that end there, longest first
	final   []uint64   // the states with such keywords, a bit each
}

// maxStates is how many states the table's numbers can tell apart.
const maxStates = 1 << 16

var errStates = errors.New("too many keywords for the search table")

// newAutomaton builds the table for keywords, which must be lower-case.
// Keyword i is reported as i.
func newAutomaton(keywords []string) (*automaton, error) {
	a := &automaton{columns: 1}
	states := 1
	for _, k := range keywords {
		states += len(k)
		for i := range len(k) {
			if c := k[i]; a.classes[c] == 0 {
				a.classes[c] = uint8(a.columns) //nolint:gosec // fewer columns than bytes exist
				a.columns++
			}
		}
	}
	for c := byte('a'); c <= 'z'; c++ {
		a.classes[c-'a'+'A'] = a.classes[c]
	}
	a.next = make([]uint16, 0, states*a.columns)
	a.addState()
	for i, k := range keywords {
		a.insert(k, uint16(i))
	}
	if len(a.ends) > maxStates {
		return nil, errStates
	}
	a.next = slices.Clip(slices.Clone(a.next))
	a.link()
	a.final = make([]uint64, len(a.ends)/64+1)
	for state, ends := range a.ends {
		if len(ends) > 0 {
			a.final[state/64] |= 1 << (state % 64)
		}
	}
	return a, nil
}

func (a *automaton) addState() uint16 {
	a.next = a.next[:len(a.next)+a.columns]
	a.ends = append(a.ends, nil)
	return uint16(len(a.ends) - 1) //nolint:gosec // newAutomaton refuses more
}

func (a *automaton) insert(keyword string, id uint16) {
	state := uint16(0)
	for i := range len(keyword) {
		at := int(state)*a.columns + int(a.classes[keyword[i]])
		if a.next[at] == 0 {
			a.next[at] = a.addState()
		}
		state = a.next[at]
	}
	a.ends[state] = append(a.ends[state], id)
}

// link turns the tree into a complete table: a missing edge becomes the edge
// of the longest suffix that is also a prefix of some keyword.
func (a *automaton) link() {
	fail := make([]uint16, len(a.ends))
	queue := make([]uint16, 0, len(a.ends))
	for c := range a.columns {
		if s := a.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		a.ends[state] = append(a.ends[state], a.ends[fail[state]]...)
		for c := range a.columns {
			at := int(state)*a.columns + c
			suffix := a.next[int(fail[state])*a.columns+c]
			if child := a.next[at]; child != 0 {
				fail[child] = suffix
				queue = append(queue, child)
			} else {
				a.next[at] = suffix
			}
		}
	}
}

// find calls found for every keyword that ends in text, in order of its end.
func (a *automaton) find(text string, found func(keyword uint16, end int)) {
	state := uint16(0)
	next, final, columns := a.next, a.final, a.columns
	for i := range len(text) {
		state = next[int(state)*columns+int(a.classes[text[i]])]
		if final[state>>6]>>(state&63)&1 == 0 {
			continue
		}
		for _, k := range a.ends[state] {
			found(k, i+1)
		}
	}
}
