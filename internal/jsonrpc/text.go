package jsonrpc

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Eight bytes at a time: these have one byte each in all eight places.
const (
	ones    = 0x0101010101010101
	spaces  = ones * ' '
	quotes  = ones * '"'
	slashes = ones * '\\'
	highs   = ones * 0x80
)

// plain returns the index of the first byte in b at or after i that ends plain
// text (a quote, a backslash or a control character), or len(b). It also
// returns high with the top bit of some byte set if a byte before is not ASCII.
func plain(b []byte, i int, high uint64) (int, uint64) {
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		// A borrow only ever leaves a byte that is itself marked, so the lowest
		// mark is exact, and only the lowest one is used.
		stop := ((x - spaces) | ((x ^ quotes) - ones) | ((x ^ slashes) - ones)) &^ x & highs
		if stop != 0 {
			high |= x & ((stop & -stop) - 1)
			return i + bits.TrailingZeros64(stop)>>3, high
		}
		high |= x
		i += 8
	}
	for ; i < len(b); i++ {
		c := b[i]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		high |= uint64(c)
	}
	return i, high
}

// str scans the string that begins at pos and reports whether it has escapes.
func (s *scanner) str() (escaped bool, reason Reason) {
	from := s.pos + 1
	var high uint64
	i := from
	for {
		i, high = plain(s.b, i, high)
		if i >= len(s.b) {
			s.pos = i
			return escaped, Malformed
		}
		switch s.b[i] {
		case '"':
			if high&highs != 0 && !utf8.Valid(s.b[from:i]) {
				return escaped, InvalidUTF8
			}
			s.pos = i + 1
			return escaped, 0
		case '\\':
			escaped = true
			size := escapeSize(s.b[i:])
			if size == 0 {
				s.pos = i
				return escaped, Malformed
			}
			i += size
		default:
			s.pos = i
			return escaped, Malformed
		}
	}
}

// escapeSize returns the length of the escape that b begins with, 0 if it is
// none.
func escapeSize(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		r <<= 4
		switch {
		case isDigit(c):
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape appends the value of raw, the inside of a valid JSON string. A lone
// surrogate becomes U+FFFD, and lone says that there was one.
func unescape(dst, raw []byte) (text []byte, lone bool) {
	for i := 0; i < len(raw); {
		stop, _ := plain(raw, i, 0)
		dst = append(dst, raw[i:stop]...)
		i = stop
		if i+1 >= len(raw) {
			break
		}
		c := raw[i+1]
		i += 2
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, size, ok := unicodeEscape(raw[i-2:])
			i += size - 2
			lone = lone || !ok
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst, lone
}

// unicodeEscape decodes the \uXXXX, or the pair of them, that raw begins with.
// ok is false for a lone surrogate, which decodes to U+FFFD.
func unicodeEscape(raw []byte) (r rune, size int, ok bool) {
	const one, pair = 6, 12
	first, valid := hex4(raw[2:])
	if !valid {
		return utf8.RuneError, len(raw), false
	}
	if !utf16.IsSurrogate(first) {
		return first, one, true
	}
	if len(raw) >= pair && raw[one] == '\\' && raw[one+1] == 'u' {
		if second, valid := hex4(raw[one+2:]); valid {
			if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
				return r, pair, true
			}
		}
	}
	return utf8.RuneError, one, false
}

// AppendString appends s as a quoted JSON string. Bytes of s that are not UTF-8
// become U+FFFD.
func AppendString(dst []byte, s string) []byte { return appendQuoted(dst, s) }

func appendQuoted[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[from:i]...)
				dst = append(dst, "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		i++
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i-1]...)
		from = i
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// Unquote returns the value of raw, one JSON string without white space around
// it. A lone surrogate becomes U+FFFD. It reports false for anything else.
func Unquote(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	s := scanner{b: raw}
	escaped, reason := s.str()
	if reason != 0 || s.pos != len(raw) {
		return "", false
	}
	if !escaped {
		return string(raw[1 : len(raw)-1]), true
	}
	text, _ := unescape(make([]byte, 0, len(raw)), raw[1:len(raw)-1])
	return string(text), true
}
