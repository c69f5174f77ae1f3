package guard

import (
	"sort"
	"unicode/utf8"
)

// view is one way to read a string of the content: as it is, folded, with
// escapes resolved, or decoded. It knows for each byte where it came from, so
// that a match in any view is reported as a range of the original string.
type view struct {
	text string
	via  string // how it was made, for people; "" is the string itself
	// segments map text to the original, ascending. None: same offsets.
	segments []segment
	// hidden says that people do not see the text although a model reads it.
	hidden bool
	// whole, when set, is the one range of the original that the view was
	// decoded from; offsets inside cannot be told apart.
	whole *span
	// from is the view it was made from; nil: the string itself.
	from  *view
	kind  kind
	hints hint // what its strings say about how it is written
}

// exact reports whether a place in the view is that place in the original and
// nothing else, so that it can be cut out there.
func (v *view) exact() bool {
	return v.whole == nil && v.kind != kindEncoded && v.kind != kindMirrored && (v.from == nil || v.from.exact())
}

// span is a half-open range of bytes.
type span struct{ start, end int }

func (s span) overlaps(o span) bool { return s.start < o.end && o.start < s.end }

// within cuts s to o.
func (s span) within(o span) span { return span{max(s.start, o.start), min(s.end, o.end)} }

// segment says that the view's bytes from out on came from the original's
// bytes from in on, in units: each outUnit bytes stand for inUnit bytes.
type segment struct{ out, in, outUnit, inUnit int32 }

// original returns the range of the original string that the view's range s
// came from.
func (v *view) original(s span) span {
	s = v.mapped(s)
	if v.from != nil {
		return v.from.original(s)
	}
	return s
}

// mapped returns the range of what the view was made from.
func (v *view) mapped(s span) span {
	switch {
	case v.whole != nil:
		return *v.whole
	case len(v.segments) == 0 || s.start >= s.end:
		return s
	}
	first, last := v.segmentAt(s.start), v.segmentAt(s.end-1)
	return span{
		start: int(first.in) + (s.start-int(first.out))/int(first.outUnit)*int(first.inUnit),
		end:   int(last.in) + ((s.end-1-int(last.out))/int(last.outUnit)+1)*int(last.inUnit),
	}
}

// segmentAt returns the segment that holds the view's byte at.
func (v *view) segmentAt(at int) segment {
	i := sort.Search(len(v.segments), func(i int) bool { return int(v.segments[i].out) > at })
	return v.segments[max(i-1, 0)]
}

// mapper builds a view's text together with its segments. Its input is a
// piece of at most pieceSize bytes, so that 32 bits hold every offset.
type mapper struct {
	out      []byte
	segments []segment
	// far, when not 0, is how much text is kept on each side of a change: what
	// is further away reads the same in the view it was made from.
	far int
}

// gap stands for text that was left out: what is on its two sides is never
// read as one sentence, nor within three.
const gap = "\n.\n.\n.\n.\n"

// kept appends text[from:to], which lies between two changes, or only what is
// near them.
func (m *mapper) kept(text string, from, to int) {
	if m.far == 0 || to-from <= 2*m.far+len(gap) {
		m.copied(text, from, to)
		return
	}
	if from > 0 {
		head := runeSpan(text, span{from, from + m.far})
		m.copied(text, from, head.end)
		from = head.end
	}
	if to < len(text) {
		tail := runeSpan(text, span{to - m.far, to})
		m.replaced(gap, from, runeSpan(text, span{from, from + 1}).end)
		m.copied(text, tail.start, to)
	}
}

// copied appends text[from:to] unchanged.
func (m *mapper) copied(text string, from, to int) {
	if from < to {
		m.mark(from, 1, 1)
		m.out = append(m.out, text[from:to]...)
	}
}

// replaced appends what stands for the original's range [from, to).
func (m *mapper) replaced(with string, from, to int) {
	if with != "" {
		m.mark(from, len(with), to-from)
		m.out = append(m.out, with...)
	}
}

// mark starts a segment unless the last one runs on at the same rate.
func (m *mapper) mark(in, outUnit, inUnit int) {
	s := segment{int32(len(m.out)), int32(in), int32(outUnit), int32(inUnit)} //nolint:gosec // pieces are small
	if n := len(m.segments); n > 0 {
		last := m.segments[n-1]
		if last.outUnit == s.outUnit && last.inUnit == s.inUnit &&
			last.in+(s.out-last.out)/last.outUnit*last.inUnit == s.in {
			return
		}
	}
	m.segments = append(m.segments, s)
}

func (m *mapper) view(via string) view {
	return view{text: string(m.out), via: via, segments: m.segments}
}

// runeSpan widens s to whole runes of text and keeps it inside.
func runeSpan(text string, s span) span {
	s.start = min(max(s.start, 0), len(text))
	s.end = min(max(s.end, s.start), len(text))
	for s.start > 0 && s.start < len(text) && !utf8.RuneStart(text[s.start]) {
		s.start--
	}
	for s.end < len(text) && !utf8.RuneStart(text[s.end]) {
		s.end++
	}
	return s
}
