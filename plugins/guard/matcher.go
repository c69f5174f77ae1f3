package guard

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// matcher says whether an expression matches somewhere in text, which is read in
// small letters: a deterministic automaton whose states are made when a text first
// needs them. It is several times faster than the regexp package, which has
// none. It is safe for concurrent use.
type matcher struct {
	prog    *syntax.Prog
	classes [utf8.RuneSelf]uint8 // bytes that no instruction tells apart
	sample  []rune               // one character of each class; the last is not ASCII
	foreign bool                 // all characters that are not ASCII are the same to it

	mu     sync.Mutex
	states map[string]int16
	sets   []matchSet
	next   []int16 // state*classes + class -> state, or one of the marks below
	marks  []uint32
	mark   uint32
	stack  []uint32
	set    []uint32
}

// matchSet is a state: the instructions that wait for the next byte, and what
// was before it.
type matchSet struct {
	waiting []uint32
	before  rune // a sample of the byte before, -1 at the start
}

// What next holds beside states.
const (
	unknownState = 0
	matched      = -1
)

// maxMatchStates bounds a matcher's memory; a text that needs more starts over.
const maxMatchStates = 400

// newMatcher returns the matcher for re, nil when there is none.
func newMatcher(re *syntax.Regexp) *matcher {
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil
	}
	m := &matcher{prog: prog, foreign: true, marks: make([]uint32, len(prog.Inst))}
	var cut [utf8.RuneSelf + 1]bool
	ranges := func(lo, hi rune) {
		if lo < utf8.RuneSelf {
			cut[lo] = true
			cut[min(hi+1, utf8.RuneSelf)] = true
		}
		if hi >= utf8.RuneSelf && (hi != unicode.MaxRune || lo > utf8.RuneSelf) && (lo != hi || !likeASCII(lo)) {
			m.foreign = false
		}
	}
	for _, pair := range [...]string{"09", "AZ", "__", "az", "\n\n"} {
		ranges(rune(pair[0]), rune(pair[1]))
	}
	for i := range prog.Inst {
		inst := &prog.Inst[i]
		folds := syntax.Flags(inst.Arg)&syntax.FoldCase != 0 //nolint:gosec // the package keeps it there
		if (inst.Op == syntax.InstRune || inst.Op == syntax.InstRune1) && folds {
			return nil // other cases of a letter are elsewhere
		}
		for j := 0; j < len(inst.Rune); j += 2 {
			ranges(inst.Rune[j], inst.Rune[min(j+1, len(inst.Rune)-1)])
		}
	}
	for c := range utf8.RuneSelf {
		if cut[c] || c == 0 {
			m.sample = append(m.sample, rune(c))
		}
		m.classes[c] = uint8(len(m.sample) - 1) //nolint:gosec // at most 128
	}
	for c := byte('A'); c <= 'Z'; c++ {
		m.classes[c] = m.classes[c-'A'+'a']
	}
	m.sample = append(m.sample, utf8.RuneSelf)
	m.reset()
	return m
}

// likeASCII reports whether the small or another case of r is ASCII.
func likeASCII(r rune) bool { return r == 0x130 || r == 0x17f || r == 0x212a }

func (m *matcher) reset() {
	m.states, m.sets, m.next = map[string]int16{}, nil, nil
	m.state(nil, 0) // number 0 means unknown
	m.state(nil, -1)
}

// state returns the number of a state.
func (m *matcher) state(waiting []uint32, before rune) int16 {
	key := make([]byte, 0, 4*len(waiting)+4)
	key = binary.LittleEndian.AppendUint32(key, uint32(before)) //nolint:gosec // only to tell them apart
	for _, pc := range waiting {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	if n, ok := m.states[string(key)]; ok {
		return n
	}
	n := int16(len(m.sets)) //nolint:gosec // at most maxMatchStates
	m.states[string(key)] = n
	m.sets = append(m.sets, matchSet{slices.Clone(waiting), before})
	m.next = append(m.next, make([]int16, len(m.sample))...)
	return n
}

// match reports whether the expression matches somewhere in text, without
// regard to case. known is false when that cannot be told here.
func (m *matcher) match(text string) (found, known bool) {
	if m == nil || !m.mu.TryLock() {
		return false, false
	}
	defer m.mu.Unlock()
	const start = 1
	state := int16(start)
	for _, c := range text {
		class := uint8(len(m.sample) - 1) //nolint:gosec // at most 128
		switch {
		case c < utf8.RuneSelf:
			class = m.classes[c]
		case !m.foreign || likeASCII(c):
			return false, false
		}
		to := m.next[int(state)*len(m.sample)+int(class)]
		if to == unknownState {
			to = m.step(state, class)
		}
		if to == matched {
			return true, true
		}
		state = to
	}
	return m.closure(state, -1), true
}

// step makes the state that follows on a class of bytes.
func (m *matcher) step(from int16, class uint8) int16 {
	c := m.sample[class]
	to := int16(matched)
	if !m.closure(from, c) {
		var waiting []uint32
		for _, pc := range m.set {
			if m.prog.Inst[pc].MatchRune(c) {
				waiting = append(waiting, m.prog.Inst[pc].Out)
			}
		}
		slices.Sort(waiting)
		waiting = slices.Compact(waiting)
		if len(m.sets) == maxMatchStates {
			m.reset()
			return m.state(waiting, sampleBefore(c))
		}
		to = m.state(waiting, sampleBefore(c))
	}
	m.next[int(from)*len(m.sample)+int(class)] = to
	return to
}

// sampleBefore returns what stands for all bytes that are the same to an
// assertion behind them.
func sampleBefore(c rune) rune {
	switch {
	case c == '\n':
		return '\n'
	case syntax.IsWordChar(c):
		return 'a'
	default:
		return ' '
	}
}

// closure fills m.set with the instructions that can take a byte in a state
// whose next byte is c, -1 at the end, and reports whether there is a match.
func (m *matcher) closure(state int16, c rune) bool {
	s := &m.sets[state]
	flags := syntax.EmptyOpContext(s.before, c)
	m.mark++
	m.set, m.stack = m.set[:0], m.stack[:0]
	m.stack = append(append(m.stack, s.waiting...), uint32(m.prog.Start)) //nolint:gosec // an index
	for len(m.stack) > 0 {
		pc := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if m.marks[pc] == m.mark {
			continue
		}
		m.marks[pc] = m.mark
		inst := &m.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			m.stack = append(m.stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			m.stack = append(m.stack, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^flags == 0 { //nolint:gosec // the package keeps it there
				m.stack = append(m.stack, inst.Out)
			}
		case syntax.InstFail:
		default:
			m.set = append(m.set, pc)
		}
	}
	return false
}
