package guard

// maxClasses is how many classes of words a classSet holds.
const maxClasses = len(classSet{}) * 64

// classSet is a set of classes of words.
type classSet [8]uint64

func (s *classSet) add(c int)      { s[c>>6] |= 1 << (c & 63) }
func (s *classSet) has(c int) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *classSet) overlaps(o *classSet) bool {
	for i := range s {
		if s[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

func (s *classSet) join(o *classSet) {
	for i := range s {
		s[i] |= o[i]
	}
}
