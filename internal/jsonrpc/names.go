package jsonrpc

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

const (
	// linearNames is up to which size an object's names are compared one by one.
	linearNames = 24
	// keepNames is for how many names memory is kept.
	keepNames = 1 << 10
)

// name is where a member name's decoded bytes are: in the text itself, or, when
// it was spelled with escapes, in nameStack.decoded.
type name struct {
	from, to int
	decoded  bool
}

// nameStack holds the names of all objects that are open, innermost last, to
// find duplicates. Memory is what the names need, and time is linear in them.
type nameStack struct {
	list    []name
	decoded []byte
	table   []int // open addressing; 1 + index into the names of one object
	seed    maphash.Seed
}

// members is the state of one open object.
type members struct {
	base    int    // its first name in list
	decoded int    // its first decoded byte
	marks   uint64 // a bit for each name seen, by length and outer bytes
}

// reset drops all names and reports whether n is small enough to be kept.
func (n *nameStack) reset() bool {
	n.list, n.decoded = n.list[:0], n.decoded[:0]
	return cap(n.list) <= keepNames && len(n.table) <= 4*keepNames && cap(n.decoded) <= 16*keepNames
}

func (n *nameStack) enter() members {
	return members{base: len(n.list), decoded: len(n.decoded)}
}

// push adds the name whose raw bytes are text[at.from:at.to] and returns its
// decoded bytes, valid until the next push.
func (n *nameStack) push(text []byte, at name, escaped bool) []byte {
	raw := text[at.from:at.to]
	if escaped {
		from := len(n.decoded)
		n.decoded, _ = unescape(n.decoded, raw)
		at = name{from: from, to: len(n.decoded), decoded: true}
		raw = n.decoded[from:]
	}
	n.list = append(n.list, at)
	return raw
}

func (n *nameStack) bytes(text []byte, at name) []byte {
	if at.decoded {
		return n.decoded[at.from:at.to]
	}
	return text[at.from:at.to]
}

// repeated reports whether the name pushed last was seen before in a small
// object. It leaves large objects to leave.
func (n *nameStack) repeated(text []byte, m *members, key []byte) bool {
	last := len(n.list) - 1
	if last-m.base >= linearNames {
		return false
	}
	mark := uint64(1) << (sketch(key) & 63)
	if m.marks&mark == 0 {
		m.marks |= mark
		return false
	}
	for _, other := range n.list[m.base:last] {
		if other.to-other.from == len(key) && bytes.Equal(n.bytes(text, other), key) {
			return true
		}
	}
	return false
}

// sketch tells most short names apart without reading all of them.
func sketch(key []byte) uint {
	if len(key) == 0 {
		return 0
	}
	return uint(len(key))*7 + uint(key[0])*5 + uint(key[len(key)-1])*11 + uint(key[len(key)/2])*23
}

// leave drops the object's names. For a large object it first looks for a
// duplicate, and returns about where in the text it is.
func (n *nameStack) leave(text []byte, m *members) (int, bool) {
	names := n.list[m.base:]
	if len(names) > linearNames {
		if i := n.duplicate(text, names); i >= 0 {
			return names[i].from, true
		}
	}
	n.list = n.list[:m.base]
	n.decoded = n.decoded[:m.decoded]
	return 0, false
}

// duplicate returns the index of a name that an earlier one equals, or -1.
func (n *nameStack) duplicate(text []byte, names []name) int {
	size := uint64(1) << bits.Len(uint(2*len(names)))
	if uint64(len(n.table)) < size {
		n.table = make([]int, size)
	}
	if n.seed == (maphash.Seed{}) {
		n.seed = maphash.MakeSeed() // random: nobody can choose names that collide
	}
	table := n.table[:size]
	clear(table)
	for i, at := range names {
		key := n.bytes(text, at)
		slot := maphash.Bytes(n.seed, key) % size
		for ; table[slot] != 0; slot = (slot + 1) % size {
			if bytes.Equal(n.bytes(text, names[table[slot]-1]), key) {
				return i
			}
		}
		table[slot] = i + 1
	}
	return -1
}
