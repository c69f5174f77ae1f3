package guard

// byteSet is a set of bytes. What looks at every byte of a text asks it rather
// than comparing.
type byteSet [4]uint64

// has reports whether c is in the set.
func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

// The bits of digits, in the first word of a set, and of letters, in the second.
const (
	digitBits  = 0x3ff << '0'
	letterBits = 0x3ffffff<<('A'-64) | 0x3ffffff<<('a'-64)
	allBits    = 1<<64 - 1
)

// The sets of bytes that words of several kinds are made of.
var (
	wordBytes     = byteSet{digitBits, letterBits | 1<<('_'-64), allBits, allBits}
	encodedBytes  = byteSet{digitBits | 1<<'+' | 1<<'/' | 1<<'-' | 1<<'=', letterBits | 1<<('_'-64)}
	tokenBytes    = byteSet{digitBits | 1<<'+' | 1<<'/' | 1<<'-' | 1<<'=' | 1<<'.', letterBits | 1<<('_'-64)}
	randomBytes   = byteSet{digitBits | 1<<'+' | 1<<'/' | 1<<'-' | 1<<'.', letterBits | 1<<('_'-64) | 1<<('~'-64)}
	joinableBytes = byteSet{1<<'-' | 1<<'+' | 1<<'.' | 1<<'*', letterBits | 1<<('_'-64) | 1<<('~'-64) | 1<<('|'-64)}
	morseBytes    = byteSet{1<<'.' | 1<<'-' | 1<<' ' | 1<<'/', 1 << ('|' - 64)}
)

// run returns the next range of text, from start on, of at least so many bytes of
// the set, up to its end; an empty one at the end of text when there is none. It
// need not look at all bytes between. At start no such range may be half over.
func (s *byteSet) run(text string, start, least int) span {
	for start+least <= len(text) {
		i := start + least - 1
		for i >= start && s.has(text[i]) {
			i--
		}
		if i >= start {
			start = i + 1
			continue
		}
		end := start + least
		for end < len(text) && s.has(text[end]) {
			end++
		}
		return span{start, end}
	}
	return span{len(text), len(text)}
}
