package scanner

import (
	"bytes"
	"iter"
	"strconv"
)

// Strings yields every string value in the content: its JSON Pointer and its
// decoded text. Offsets of a [Location] count bytes of that text. Lone
// surrogates are decoded to U+FFFD. Text is one string with the pointer "", as
// it is. A blob has none.
//
// Names of members are not among them: see [Content.Keys].
func (c Content) Strings() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		switch c.Kind {
		case KindText:
			yield("", string(c.Data))
		case KindJSON:
			walk(c.Data, func(t token, pointer, raw []byte) bool {
				return t != tokenString || yield(string(pointer), unquote(raw))
			})
		default:
		}
	}
}

// Keys yields every member of every object in the content: the member's JSON
// Pointer and its decoded name. Only JSON has members.
func (c Content) Keys() iter.Seq2[string, string] {
	return c.tokens(tokenKey, unquote)
}

// Numbers yields every number in the content: its JSON Pointer and its text,
// digit for digit. Only JSON has numbers.
func (c Content) Numbers() iter.Seq2[string, string] {
	return c.tokens(tokenNumber, func(raw []byte) string { return string(raw) })
}

func (c Content) tokens(want token, decode func([]byte) string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if c.Kind != KindJSON {
			return
		}
		walk(c.Data, func(t token, pointer, raw []byte) bool {
			return t != want || yield(string(pointer), decode(raw))
		})
	}
}

// token is what walk reports.
type token uint8

const (
	tokenKey token = iota
	tokenString
	tokenNumber
)

// level is one object or array that walk is inside of.
type level struct {
	base  int // length of the container's own pointer
	index int // array: the element walk is at
	array bool
	key   bool // object: the next string is a member's name
}

// walk visits the names, strings and numbers of a JSON text in order until visit
// returns false. The slices are valid during the call only. The relay sends
// nothing malformed; of malformed text walk visits what it can and never
// panics. It does not recurse, so that depth costs memory only.
func walk(data []byte, visit func(t token, pointer, raw []byte) bool) {
	var w walker
	for len(data) > 0 {
		size := 1
		more := true
		switch c := data[0]; c {
		case ' ', '\t', '\r', '\n', ':':
		case '{', '[':
			w.enter(c == '[')
		case '}', ']':
			w.leave()
		case ',':
			w.next()
		case '"':
			raw := quoted(data)
			size = len(raw)
			more = visit(w.name(raw), w.pointer, raw)
		default:
			raw := literal(data)
			size = len(raw)
			if c == '-' || '0' <= c && c <= '9' {
				more = visit(tokenNumber, w.pointer, raw)
			}
		}
		if !more {
			return
		}
		data = data[size:]
	}
}

// walker is the place in a JSON text that walk has reached.
type walker struct {
	pointer []byte
	stack   []level
}

// top returns the innermost container, nil outside of all.
func (w *walker) top() *level {
	if len(w.stack) == 0 {
		return nil
	}
	return &w.stack[len(w.stack)-1]
}

func (w *walker) enter(array bool) {
	w.stack = append(w.stack, level{base: len(w.pointer), array: array, key: !array})
	if array {
		w.pointer = append(w.pointer, "/0"...)
	}
}

func (w *walker) leave() {
	if top := w.top(); top != nil {
		w.pointer = w.pointer[:top.base]
		w.stack = w.stack[:len(w.stack)-1]
	}
}

// next moves on to the next element or member, which still lacks its name.
func (w *walker) next() {
	top := w.top()
	if top == nil {
		return
	}
	w.pointer = w.pointer[:top.base]
	if !top.array {
		top.key = true
		return
	}
	top.index++
	w.pointer = strconv.AppendInt(append(w.pointer, '/'), int64(top.index), 10)
}

// name tells whether a string is a member's name and if so moves to that member.
func (w *walker) name(raw []byte) token {
	top := w.top()
	if top == nil || !top.key {
		return tokenString
	}
	top.key = false
	w.pointer = appendSegment(w.pointer[:top.base], raw)
	return tokenKey
}

// quoted returns the string that data starts with, quotes included; all of data
// when it is not closed.
func quoted(data []byte) []byte {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return data[:i+1]
		default:
		}
	}
	return data
}

// literal returns the number or word that data starts with, at least one byte.
func literal(data []byte) []byte {
	if end := bytes.IndexAny(data[1:], " \t\r\n,:[]{}\""); end >= 0 {
		return data[:end+1]
	}
	return data
}
