package media

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// Byte order marks.
const (
	bom8    = "\xef\xbb\xbf"
	bom16LE = "\xff\xfe"
	bom16BE = "\xfe\xff"
)

// textOf returns b as UTF-8 without a byte order mark. ok is false when it is no
// text: neither UTF-8 nor UTF-16 with a mark, or with characters that no text
// has.
func textOf(b []byte) (text []byte, ok bool) {
	switch {
	case bytes.HasPrefix(b, []byte(bom16LE)):
		b = decode16(b[len(bom16LE):], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte(bom16BE)):
		b = decode16(b[len(bom16BE):], binary.BigEndian)
	default:
		b = bytes.TrimPrefix(b, []byte(bom8))
	}
	if hasBinary(b) || !utf8.Valid(b) {
		return nil, false
	}
	return b, true
}

// decode16 returns UTF-16 as UTF-8. A lone surrogate becomes U+FFFD, as readers
// have it; a last byte without a second one is left out, as they do.
func decode16(b []byte, order binary.ByteOrder) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i+1 < len(b); i += 2 {
		r := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			low := rune(utf8.RuneError)
			if i+3 < len(b) {
				low = rune(order.Uint16(b[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 2
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// hasBinary reports whether b has a control character that no text has. Escape is
// not one of them: terminals read it, and scanners know it.
func hasBinary(b []byte) bool {
	for _, c := range b {
		if c < ' ' && binaryControls&(1<<c) != 0 {
			return true
		}
	}
	return false
}

// binaryControls has a bit for each control character that is not white space, a
// backspace, a bell or an escape.
const binaryControls = ^uint32(1<<'\a' | 1<<'\b' | 1<<'\t' | 1<<'\n' | 1<<'\v' | 1<<'\f' | 1<<'\r' | 1<<0x1b)
