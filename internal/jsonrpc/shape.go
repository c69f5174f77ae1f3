package jsonrpc

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// Shape says which members of an object the protocol names, and below which of
// them it names more. Where a shape applies, a member whose name equals one of
// Members under Unicode simple folding but not byte for byte is refused: some
// readers would take it for the real one. A nil Shape is free: names below it
// are checked for duplicates only.
//
// A Shape may refer to itself. It must not be changed or copied once used; then
// many goroutines may use it.
type Shape struct {
	// Members maps a name to the shape of its value.
	Members map[string]*Shape
	// Values is the shape of the values of all other members: of a map with
	// free names.
	Values *Shape
	// Elem is the shape of the elements where the value is an array.
	Elem *Shape

	once    sync.Once
	folded  map[string]struct{} // the folded names of Members
	longest int                 // the longest name a variant of which could match, in bytes
}

// widest is how many bytes a rune can have that folds to an ASCII letter: the
// Kelvin sign. For other letters the ratio is smaller.
const widest = 3

func (s *Shape) prepare() {
	s.folded = make(map[string]struct{}, len(s.Members))
	for name := range s.Members {
		s.folded[string(appendFolded(nil, []byte(name)))] = struct{}{}
		s.longest = max(s.longest, widest*len(name))
	}
}

// variant reports whether name, which is not a key of Members, folds to one.
func (s *Shape) variant(name []byte) bool {
	s.once.Do(s.prepare)
	if len(name) > s.longest {
		return false
	}
	var buf [96]byte
	_, found := s.folded[string(appendFolded(buf[:0], name))]
	return found
}

// appendFolded appends name with each rune replaced by the smallest rune of its
// simple folding orbit. Two names are equal under simple folding if and only
// if their folded forms are equal.
func appendFolded(dst, name []byte) []byte {
	for i := 0; i < len(name); {
		c := name[i]
		if c < utf8.RuneSelf {
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(name[i:])
		i += size
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		dst = utf8.AppendRune(dst, smallest)
	}
	return dst
}
