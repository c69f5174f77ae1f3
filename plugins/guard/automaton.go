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
	t := newTrie(states)
	for i, k := range keywords {
		if !t.insert(k, &a.classes, uint16(i)) {
			return nil, errStates
		}
	}
	a.link(t)
	a.final = make([]uint64, len(a.ends)/64+1)
	for state, ends := range a.ends {
		if len(ends) > 0 {
			a.final[state/64] |= 1 << (state % 64)
		}
	}
	return a, nil
}

// trie is the tree of keywords. Node 0 is its root, and no child.
type trie struct {
	child, sibling []uint16 // node -> its first child, the next child of its parent
	class          []uint8
	ends           [][]uint16
}

func newTrie(nodes int) *trie {
	nodes = min(nodes, maxStates)
	t := &trie{
		child: make([]uint16, 1, nodes), sibling: make([]uint16, 1, nodes), class: make([]uint8, 1, nodes),
		ends: make([][]uint16, 1, nodes),
	}
	return t
}

// insert adds a keyword. It reports false when there are too many.
func (t *trie) insert(keyword string, classes *[256]uint8, id uint16) bool {
	node := uint16(0)
	for i := range len(keyword) {
		class := classes[keyword[i]]
		next := t.child[node]
		for next != 0 && t.class[next] != class {
			next = t.sibling[next]
		}
		if next == 0 {
			if len(t.child) == maxStates {
				return false
			}
			next = uint16(len(t.child)) //nolint:gosec // checked above
			t.child = append(t.child, 0)
			t.sibling = append(t.sibling, t.child[node])
			t.class = append(t.class, class)
			t.ends = append(t.ends, nil)
			t.child[node] = next
		}
		node = next
	}
	t.ends[node] = append(t.ends[node], id)
	return true
}

// link makes the complete table of a tree: a missing edge becomes the edge of
// the longest suffix that is also a prefix of some keyword.
func (a *automaton) link(t *trie) {
	n := len(t.child)
	a.ends = slices.Clip(t.ends)
	a.next = make([]uint16, n*a.columns)
	fail := make([]uint16, n)
	queue := make([]uint16, 1, n)
	for len(queue) > 0 {
		state := int(queue[0])
		queue = queue[1:]
		suffix := int(fail[state])
		row, shorter := a.row(state), a.row(suffix)
		if state != 0 {
			copy(row, shorter)
			if len(a.ends[state]) == 0 {
				a.ends[state] = a.ends[suffix]
			} else {
				a.ends[state] = append(a.ends[state], a.ends[suffix]...)
			}
		}
		for child := t.child[state]; child != 0; child = t.sibling[child] {
			if state != 0 {
				fail[child] = shorter[t.class[child]]
			}
			row[t.class[child]] = child
			queue = append(queue, child)
		}
	}
}

// row returns the edges of a state.
func (a *automaton) row(state int) []uint16 { return a.next[state*a.columns : (state+1)*a.columns] }

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
