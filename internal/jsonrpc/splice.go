package jsonrpc

import (
	"bytes"
	"iter"
	"slices"
)

// The functions of this file work on JSON that is known to be valid. On other
// bytes they stop early and return something, but do not panic.

// Member returns the raw value of the member called name.
func Member(object []byte, name string) ([]byte, bool) {
	for c := newCursor(object, '{'); c.next(); {
		if c.named(name) {
			return object[c.from:c.to:c.to], true
		}
	}
	return nil, false
}

// Members yields the members of an object in their order: the decoded name and
// the raw value. It yields nothing for another value.
func Members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for c := newCursor(object, '{'); c.next(); {
			key, ok := Unquote(object[c.key:c.keyEnd])
			if !ok || !yield(key, object[c.from:c.to:c.to]) {
				return
			}
		}
	}
}

// Elements yields the raw elements of an array. It yields nothing for another
// value.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for c := newCursor(array, '['); c.next(); {
			if !yield(array[c.from:c.to:c.to]) {
				return
			}
		}
	}
}

// SetMember returns a copy of object in which the member called name has this
// value: in its place when there is one, else as the last member. All other
// bytes are unchanged. No object at all counts as {}; of anything else that is not
// an object it returns a plain copy.
func SetMember(object []byte, name string, value []byte) []byte {
	if len(object) == 0 {
		object = []byte("{}")
	}
	c := newCursor(object, '{')
	if !c.open {
		return bytes.Clone(object)
	}
	end := c.to // where a further member goes: after the last one, or after the brace
	empty := true
	for c.next() {
		if c.named(name) {
			return splice(object, c.from, c.to, value)
		}
		end, empty = c.to, false
	}
	out := append(make([]byte, 0, len(object)+len(name)+len(value)+len(`,"":`)), object[:end]...)
	if !empty {
		out = append(out, ',')
	}
	out = append(AppendString(out, name), ':')
	return append(append(out, value...), object[end:]...)
}

// DeleteMember returns a copy of object without the member called name. All
// other bytes are unchanged, but for one comma and the white space beside it.
func DeleteMember(object []byte, name string) []byte {
	c := newCursor(object, '{')
	for before := -1; c.next(); before = c.to {
		if !c.named(name) {
			continue
		}
		key, end := c.key, c.to
		switch {
		case before >= 0:
			return splice(object, before, end, nil)
		case c.next():
			return splice(object, key, c.key, nil)
		default:
			return splice(object, key, end, nil)
		}
	}
	return bytes.Clone(object)
}

// Edit is one member that Apply sets or deletes.
type Edit struct {
	Name  string
	Value []byte // nil: the member is deleted
}

// Apply returns object with all edits made, in one pass and at most one copy: as
// SetMember and DeleteMember one after the other would. It reads no further than
// it has to. Without anything to change it returns object itself. The names of
// edits differ.
func Apply(object []byte, edits ...Edit) []byte {
	head, rest := edit(object, edits)
	if head == nil {
		return object
	}
	return append(append(make([]byte, 0, len(head)+len(object)-rest), head...), object[rest:]...)
}

// edit returns what stands for object[:rest] when the edits are made; nil: there
// is nothing to change.
func edit(object []byte, edits []Edit) (head []byte, rest int) {
	c := newCursor(object, '{')
	if !c.open {
		return nil, 0
	}
	cut := func(from, to int, with []byte) {
		head = append(append(head, object[rest:from]...), with...)
		rest = to
	}
	begin := skipSpace(object, c.to) // of the first member that stays
	end, stays := c.to, false        // the end of the last member, and whether one stays
	made := 0                        // a bit for each edit
	for left := len(edits); left > 0 && c.next(); end = c.to {
		i := slices.IndexFunc(edits, func(e Edit) bool { return c.named(e.Name) })
		if i < 0 {
			stays = true
			continue
		}
		left--
		made |= 1 << i
		switch {
		case edits[i].Value != nil:
			cut(c.from, c.to, edits[i].Value)
			stays = true
		case stays:
			cut(end, c.to, nil)
		default:
			cut(begin, afterComma(object, c.to), nil)
			begin = rest
		}
	}
	for i, e := range edits {
		if e.Value == nil || made&(1<<i) != 0 {
			continue
		}
		cut(max(end, rest), max(end, rest), nil)
		if stays {
			head = append(head, ',')
		}
		head = append(append(AppendString(head, e.Name), ':'), e.Value...)
		stays = true
	}
	return head, rest
}

// afterComma returns where the next member begins when a member ends at i; i
// itself when none follows.
func afterComma(object []byte, i int) int {
	if to := skipSpace(object, i); to < len(object) && object[to] == ',' {
		return skipSpace(object, to+1)
	}
	return i
}

// splice returns a copy of b in which with stands for b[from:to].
func splice(b []byte, from, to int, with []byte) []byte {
	out := make([]byte, 0, len(b)-(to-from)+len(with))
	out = append(out, b[:from]...)
	out = append(out, with...)
	return append(out, b[to:]...)
}

// cursor walks over the members of an object or the elements of an array.
type cursor struct {
	b           []byte
	open        bool // b is such a value
	object      bool
	key, keyEnd int // the name with its quotes, in an object
	from, to    int // the value; before the first one, to is after the brace
}

func newCursor(b []byte, opening byte) cursor {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != opening {
		return cursor{b: b, to: len(b)}
	}
	return cursor{b: b, open: true, object: opening == '{', to: i + 1}
}

// next moves to the next member or element.
func (c *cursor) next() bool {
	i := skipSpace(c.b, c.to)
	if i < len(c.b) && c.b[i] == ',' {
		i = skipSpace(c.b, i+1)
	}
	if c.object {
		if i >= len(c.b) || c.b[i] != '"' {
			return false
		}
		c.key = i
		c.keyEnd = skipString(c.b, i)
		i = skipSpace(c.b, c.keyEnd)
		if i >= len(c.b) || c.b[i] != ':' {
			return false
		}
		i = skipSpace(c.b, i+1)
	}
	end := skipValue(c.b, i)
	if end == i {
		return false
	}
	c.from, c.to = i, end
	return true
}

// named reports whether the member is called name.
func (c *cursor) named(name string) bool {
	raw := c.b[c.key:c.keyEnd]
	if len(raw) == len(name)+2 && string(raw[1:len(raw)-1]) == name {
		return bytes.IndexByte(raw, '\\') < 0
	}
	if len(raw) <= len(name)+2 || bytes.IndexByte(raw, '\\') < 0 {
		return false // an escape is longer than what it stands for
	}
	decoded, ok := Unquote(raw)
	return ok && decoded == name
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipString returns the index after the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			break
		}
		i += n
		slashes := 0
		for b[i-1-slashes] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i
		}
	}
	return len(b)
}

// skipValue returns the index after the value that begins at i, or i if there
// is none.
func skipValue(b []byte, i int) int {
	depth := 0
	for from := i; i < len(b); {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i // the end of what is around it
			}
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i = skipWord(b, i)
		}
		if depth == 0 && i > from {
			return i
		}
	}
	return i
}

// skipWord returns the index after the number or literal that begins at i.
func skipWord(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return i
}
