package guard

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxEntity is the longest HTML entity that escape reads, in bytes.
const maxEntity = 14

// escape decodes one escape at the start of text: %41 (and %2541), %u0041,
// &#65;, &lt;, \u0041, \u{41}, \U00000041, \x41, \101, \n. It returns the rune and
// the bytes it takes, or 0.
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
	if len(text) >= 6 && text[1]|' ' == 'u' {
		return hexRune(text, 2, 6)
	}
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

// entity reads a numeric or common named HTML character reference. A number may
// lack its semicolon, as browsers allow.
func entity(text string) (rune, int) {
	text = text[:min(len(text), maxEntity)]
	if len(text) > 2 && text[1] == '#' {
		return numericEntity(text)
	}
	end := strings.IndexByte(text, ';')
	if end < 2 {
		return 0, 0
	}
	if r := namedEntity(strings.ToLower(text[1:end])); r != 0 {
		return r, end + 1
	}
	return 0, 0
}

func numericEntity(text string) (rune, int) {
	start, base := 2, 10
	if text[start]|' ' == 'x' {
		start, base = 3, 16
	}
	end := start
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || base == 16 && hexByte(text[end])) {
		end++
	}
	n, err := strconv.ParseUint(text[start:end], base, 21)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return 0, 0
	}
	if end < len(text) && text[end] == ';' {
		end++
	}
	return rune(n), end
}

func hexByte(c byte) bool {
	return c >= '0' && c <= '9' || c|' ' >= 'a' && c|' ' <= 'f'
}

// namedEntity returns the character that the entity stands for, or 0. Only
// those are known that stand for ASCII or for nothing a reader sees.
func namedEntity(name string) rune {
	switch name {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	case "amp":
		return '&'
	case "nbsp", "tab", "newline", "ensp", "emsp", "thinsp":
		return ' '
	case "zwj", "zwnj", "shy", "lrm", "rlm", "zerowidthspace":
		return zwsp
	default:
		return signEntity(name)
	}
}

func signEntity(name string) rune {
	const signs = "/.:,;!?#$%()[]{}*+=@\\_`|-"
	names := [...]string{
		"sol", "period", "colon", "comma", "semi", "excl", "quest", "num", "dollar", "percnt", "lpar", "rpar", "lsqb",
		"rsqb", "lcub", "rcub", "ast", "plus", "equals", "commat", "bsol", "lowbar", "grave", "vert", "hyphen",
	}
	for i, n := range names {
		if n == name {
			return rune(signs[i])
		}
	}
	return 0
}

// backslash reads \u0041, \u{41}, \U00000041, \x41, \101 and \n, \r, \t, \".
func backslash(text string) (rune, int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case 'n', 'r':
		return '\n', 2
	case 't':
		return '\t', 2
	case '"', '\'', '/':
		return rune(text[1]), 2
	case 'u':
		if len(text) > 3 && text[2] == '{' {
			return bracedRune(text)
		}
		return surrogates(text)
	case 'U':
		return hexRune(text, 2, 10)
	case 'x':
		return hexRune(text, 2, 4)
	case '0', '1':
		return octalRune(text)
	default:
		return 0, 0
	}
}

// hexRune reads text[from:to] as the number of a rune.
func hexRune(text string, from, to int) (rune, int) {
	if len(text) < to {
		return 0, 0
	}
	n, err := strconv.ParseUint(text[from:to], 16, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, 0
	}
	return rune(n), to
}

// bracedRune reads \u{41}.
func bracedRune(text string) (rune, int) {
	end := strings.IndexByte(text[:min(len(text), maxEntity)], '}')
	if end < 4 {
		return 0, 0
	}
	r, n := hexRune(text, 3, end)
	if n == 0 {
		return 0, 0
	}
	return r, end + 1
}

// surrogates reads \u0041, and the two halves of a rune that has no number of
// four digits.
func surrogates(text string) (rune, int) {
	r, n := hexRune(text, 2, 6)
	if n > 0 || len(text) < 12 || text[6] != '\\' || text[7] != 'u' {
		return r, n
	}
	high, err1 := strconv.ParseUint(text[2:6], 16, 16)
	low, err2 := strconv.ParseUint(text[8:12], 16, 16)
	if r := utf16.DecodeRune(rune(high), rune(low)); err1 == nil && err2 == nil && r != utf8.RuneError {
		return r, 12
	}
	return 0, 0
}

// octalRune reads \101: letters and signs, no bytes of longer characters.
func octalRune(text string) (rune, int) {
	if len(text) < 4 {
		return 0, 0
	}
	n, err := strconv.ParseUint(text[1:4], 8, 8)
	if err != nil || n < ' ' || n >= utf8.RuneSelf {
		return 0, 0
	}
	return rune(n), 4
}
