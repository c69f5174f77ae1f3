package jsonrpc

import "sync"

// MaxDepth is how many objects and arrays may lie inside each other.
const MaxDepth = 512

// scanner checks one JSON text in one pass. Its methods return 0 or the reason
// of a refusal, and leave pos at what was refused.
type scanner struct {
	b     []byte
	pos   int
	names nameStack
}

// scanners keeps the memory of name stacks from one message to the next.
var scanners = sync.Pool{New: func() any { return new(scanner) }}

func newScanner(b []byte) *scanner {
	s, _ := scanners.Get().(*scanner)
	s.b, s.pos = b, 0
	return s
}

func (s *scanner) free() {
	if s.names.reset() {
		s.b = nil
		scanners.Put(s)
	}
}

// Validate checks that value is exactly one JSON value, with the strictness of
// [Parse]: RFC 8259 grammar, valid UTF-8, no duplicate names, at most MaxDepth
// levels, and no case variants where shape applies. The error is a *ParseError.
func Validate(value []byte, shape *Shape) error {
	s := newScanner(value)
	defer s.free()
	s.space()
	reason := s.value(0, shape)
	if reason == 0 {
		reason = s.end()
	}
	if reason != 0 {
		return &ParseError{Reason: reason, Offset: s.pos}
	}
	return nil
}

// space skips white space and returns the byte after it, or 0 at the end,
// where no value and no punctuation begins with 0.
func (s *scanner) space() byte {
	for s.pos < len(s.b) {
		c := s.b[s.pos]
		if c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
			return c
		}
		s.pos++
	}
	return 0
}

// end checks that nothing follows.
func (s *scanner) end() Reason {
	s.space()
	if s.pos < len(s.b) {
		return Malformed
	}
	return 0
}

// value scans the value that begins at pos; depth counts what is around it.
func (s *scanner) value(depth int, shape *Shape) Reason {
	if s.pos >= len(s.b) {
		return Malformed
	}
	switch s.b[s.pos] {
	case '"':
		_, reason := s.str()
		return reason
	case '{':
		return s.object(depth, shape, nil)
	case '[':
		return s.array(depth, shape)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) array(depth int, shape *Shape) Reason {
	if depth >= MaxDepth {
		return TooDeep
	}
	var elem *Shape
	if shape != nil {
		elem = shape.Elem
	}
	s.pos++
	if s.space() == ']' {
		s.pos++
		return 0
	}
	for {
		if reason := s.value(depth+1, elem); reason != 0 {
			return reason
		}
		switch s.space() {
		case ',':
			s.pos++
			s.space()
		case ']':
			s.pos++
			return 0
		default:
			return Malformed
		}
	}
}

// object scans an object. When env is not nil it is told every member.
func (s *scanner) object(depth int, shape *Shape, env *envelope) Reason {
	if depth >= MaxDepth {
		return TooDeep
	}
	s.pos++
	if s.space() == '}' {
		s.pos++
		return 0
	}
	seen := s.names.enter()
	for {
		key, child, reason := s.key(&seen, shape)
		if reason != 0 {
			return reason
		}
		from := s.pos
		if reason = s.value(depth+1, child); reason != 0 {
			return reason
		}
		if env != nil {
			env.member(key, span{from, s.pos})
		}
		switch s.space() {
		case ',':
			s.pos++
			s.space()
		case '}':
			s.pos++
			if at, found := s.names.leave(s.b, &seen); found {
				s.pos = at
				return DuplicateName
			}
			return 0
		default:
			return Malformed
		}
	}
}

// key scans a member's name up to its value. It returns the decoded name, valid
// until the next one is scanned, and the shape of the value.
func (s *scanner) key(seen *members, shape *Shape) (key []byte, child *Shape, reason Reason) {
	at := s.pos
	if at >= len(s.b) || s.b[at] != '"' {
		return nil, nil, Malformed
	}
	escaped, reason := s.str()
	if reason != 0 {
		return nil, nil, reason
	}
	key = s.names.push(s.b, name{from: at + 1, to: s.pos - 1}, escaped)
	if s.names.repeated(s.b, seen, key) {
		s.pos = at
		return nil, nil, DuplicateName
	}
	if shape != nil {
		var known bool
		if child, known = shape.Members[string(key)]; !known {
			if shape.variant(key) {
				s.pos = at
				return nil, nil, CaseVariant
			}
			child = shape.Values
		}
	}
	if s.space() != ':' {
		return nil, nil, Malformed
	}
	s.pos++
	s.space()
	return key, child, 0
}

func (s *scanner) literal(word string) Reason {
	if len(s.b)-s.pos < len(word) || string(s.b[s.pos:s.pos+len(word)]) != word {
		return Malformed
	}
	s.pos += len(word)
	return 0
}

func (s *scanner) number() Reason {
	if s.b[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.b) && s.b[s.pos] == '0' {
		s.pos++
	} else if !s.digits() {
		return Malformed
	}
	if s.pos < len(s.b) && s.b[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return Malformed
		}
	}
	if s.pos < len(s.b) && s.b[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.b) && (s.b[s.pos] == '+' || s.b[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return Malformed
		}
	}
	return 0
}

// digits skips decimal digits and reports whether there was one.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.b) && isDigit(s.b[s.pos]) {
		s.pos++
	}
	return s.pos > from
}
