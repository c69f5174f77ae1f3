package guard

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxEntity is the longest HTML entity that escape reads, in bytes.
const maxEntity = 10

// escape decodes one escape at the start of text: %41 (and %2541), &#65;,
// &lt;, \u0041, \x41. It returns the rune and the bytes it takes, or 0.
func escape(text string) (rune, int) {
	switch text[0] {
	case '%':
		return percent(text)
	case '&':
		return entity(text)
	case '\\':
		return backslash(text)
	default:
		return 0, 0
	}
}

// percent reads a percent-encoded rune of one to four bytes.
func percent(text string) (rune, int) {
	var raw [utf8.UTFMax]byte
	taken, n := 0, 0
	for n < len(raw) {
		b, size := percentByte(text[taken:])
		if size == 0 {
			break
		}
		raw[n] = b
		n++
		taken += size
		if r, _ := utf8.DecodeRune(raw[:n]); r != utf8.RuneError {
			return r, taken
		}
	}
	return 0, 0
}

// percentByte reads %41 or, encoded twice, %2541.
func percentByte(text string) (byte, int) {
	if len(text) < 3 || text[0] != '%' {
		return 0, 0
	}
	b, err := strconv.ParseUint(text[1:3], 16, 8)
	if err != nil {
		return 0, 0
	}
	if b == '%' && len(text) >= 5 {
		if inner, err := strconv.ParseUint(text[3:5], 16, 8); err == nil {
			return byte(inner), 5
		}
	}
	return byte(b), 3
}

// entity reads a numeric or common named HTML character reference.
func entity(text string) (rune, int) {
	end := strings.IndexByte(text[:min(len(text), maxEntity)], ';')
	if end < 2 {
		return 0, 0
	}
	name := text[1:end]
	if name[0] == '#' {
		digits, base := name[1:], 10
		if digits != "" && (digits[0] == 'x' || digits[0] == 'X') {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseUint(digits, base, 21)
		if err != nil || !utf8.ValidRune(rune(n)) {
			return 0, 0
		}
		return rune(n), end + 1
	}
	switch strings.ToLower(name) {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	case "amp":
		return '&', end + 1
	case "nbsp", "tab", "newline":
		return ' ', end + 1
	case "sol":
		return '/', end + 1
	case "period":
		return '.', end + 1
	default:
		return 0, 0
	}
}

// backslash reads \u0041 and \x41.
func backslash(text string) (rune, int) {
	var size int
	switch {
	case len(text) >= 6 && text[1] == 'u':
		size = 6
	case len(text) >= 4 && text[1] == 'x':
		size = 4
	default:
		return 0, 0
	}
	n, err := strconv.ParseUint(text[2:size], 16, 16)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return 0, 0
	}
	return rune(n), size
}
