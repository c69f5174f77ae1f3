package scanner

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
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
// returns false. The slices are valid during the call only. The server has
// checked the text before; of malformed text walk visits what it can and never
// panics. It does not recurse, so that depth costs memory only.
func walk(data []byte, visit func(t token, pointer, raw []byte) bool) {
	var (
		stack   []level
		pointer []byte
	)
	for i := 0; i < len(data); {
		var top *level
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		switch c := data[i]; c {
		case ' ', '\t', '\r', '\n', ':':
			i++
		case '{', '[':
			stack = append(stack, level{base: len(pointer), array: c == '[', key: c == '{'})
			if c == '[' {
				pointer = append(pointer, "/0"...)
			}
			i++
		case '}', ']':
			if top != nil {
				pointer = pointer[:top.base]
				stack = stack[:len(stack)-1]
			}
			i++
		case ',':
			if top != nil {
				pointer = top.next(pointer)
			}
			i++
		case '"':
			raw := quoted(data[i:])
			i += len(raw)
			t := tokenString
			if top != nil && top.key {
				t, top.key = tokenKey, false
				pointer = appendSegment(pointer[:top.base], raw)
			}
			if !visit(t, pointer, raw) {
				return
			}
		default:
			raw := literal(data[i:])
			i += len(raw)
			if c == '-' || '0' <= c && c <= '9' {
				if !visit(tokenNumber, pointer, raw) {
					return
				}
			}
		}
	}
}

// next moves on to the next element or member and returns its pointer, which for
// a member still lacks the name.
func (l *level) next(pointer []byte) []byte {
	pointer = pointer[:l.base]
	if !l.array {
		l.key = true
		return pointer
	}
	l.index++
	return strconv.AppendInt(append(pointer, '/'), int64(l.index), 10)
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

// unquote decodes a quoted JSON string. One that is malformed comes back as it
// is, so that a scanner still sees its text.
func unquote(raw []byte) string {
	inner := raw[1:max(1, len(raw)-1)]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return strings.ToValidUTF8(string(inner), "\uFFFD")
	}
	return s
}

// appendSegment appends a member's name to a JSON Pointer.
func appendSegment(pointer, raw []byte) []byte {
	pointer = append(pointer, '/')
	name := unquote(raw)
	for i := range len(name) {
		switch name[i] {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, name[i])
		}
	}
	return pointer
}
