package scanner

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote decodes a quoted JSON string. What is malformed comes back as it is, so
// that a scanner still sees its text. The relay decodes alike: offsets count
// bytes of what this returns.
func unquote(raw []byte) string {
	inner := inside(raw)
	if plain(inner) {
		return string(inner)
	}
	return string(appendUnquoted(make([]byte, 0, len(inner)), inner))
}

// appendSegment appends a member's name, given as a quoted JSON string, to a JSON
// Pointer.
func appendSegment(pointer, raw []byte) []byte {
	pointer = append(pointer, '/')
	name := inside(raw)
	if !plain(name) {
		name = appendUnquoted(nil, name)
	}
	for _, c := range name {
		switch c {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, c)
		}
	}
	return pointer
}

// inside returns what stands between the quotes.
func inside(raw []byte) []byte { return raw[1:max(1, len(raw)-1)] }

// plain tells whether the inside of a string is its own decoded form.
func plain(inner []byte) bool { return bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) }

// appendUnquoted decodes the inside of a JSON string.
func appendUnquoted(dst, inner []byte) []byte {
	for {
		i := bytes.IndexByte(inner, '\\')
		if i < 0 {
			return appendValid(dst, inner)
		}
		dst = appendValid(dst, inner[:i])
		r, size := unescape(inner[i:])
		dst = utf8.AppendRune(dst, r)
		inner = inner[i+size:]
	}
}

// appendValid appends text with each byte that is not UTF-8 as U+FFFD.
func appendValid(dst, text []byte) []byte {
	if utf8.Valid(text) {
		return append(dst, text...)
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, r)
		text = text[size:]
	}
	return dst
}

// unescape decodes the escape that text starts with and returns how many bytes it
// takes. A surrogate without its other half is U+FFFD.
func unescape(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return '\\', 1
	}
	switch c := text[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return '\\', 1
	}
	first, ok := codeUnit(text)
	if !ok {
		return '\\', 1
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if second, ok := codeUnit(text[6:]); ok {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

// codeUnit reads the \uXXXX that text starts with.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}
