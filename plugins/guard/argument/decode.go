package argument

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// rounds is how often Decode looks again: programs rarely decode more often.
const rounds = 3

// Decode undoes what carries a value through an address: percent encoding,
// also when it was done twice, with overlong UTF-8, as %u0041, \u0041 or as a
// fullwidth form. It returns text itself when there is nothing to undo. The result may
// hold any byte.
func Decode(text string) string {
	if !strings.ContainsAny(text, "%\\") {
		return text
	}
	if strings.Contains(text, "%") && !strings.Contains(text, " ") && strings.Contains(text, "+") {
		text = strings.ReplaceAll(text, "+", " ")
	}
	for range rounds {
		next := decodeOnce(text)
		if next == text {
			break
		}
		text = next
	}
	return text
}

// decodeOnce undoes one layer of percent encoding.
func decodeOnce(text string) string {
	var out []byte
	done := 0
	for i := 0; i < len(text); {
		r, size := percent(text[i:])
		if size == 0 {
			i++
			continue
		}
		out = append(append(out, text[done:i]...), r...)
		i += size
		done = i
	}
	if done == 0 {
		return text
	}
	return string(append(out, text[done:]...))
}

// percent reads one encoded character and returns what it stands for and the
// bytes it takes, 0 when text does not begin with one.
func percent(text string) (string, int) {
	if text[0] != '%' && text[0] != '\\' {
		return "", 0
	}
	if len(text) >= 6 && (text[1] == 'u' || text[1] == 'U') {
		if n, err := strconv.ParseUint(text[2:6], 16, 16); err == nil {
			return string(plainRune(rune(n))), 6
		}
	}
	first, ok := hexByte(text)
	if !ok {
		return "", 0
	}
	if s, size := overlong(text, first); size > 0 {
		return s, size
	}
	return string([]byte{first}), 3
}

// overlong reads an ASCII character in two or three bytes, which strict
// decoders refuse and lenient ones do not.
func overlong(text string, first byte) (string, int) {
	switch first {
	case 0xc0, 0xc1:
		if second, ok := hexByte(text[3:]); ok {
			return string(rune(first&0x1f)<<6 | rune(second&0x3f)), 6
		}
	case 0xe0:
		second, ok := hexByte(text[3:])
		third, ok2 := hexByte(text[min(6, len(text)):])
		if ok && ok2 && second < 0xa0 {
			return string(rune(second&0x3f)<<6 | rune(third&0x3f)), 9
		}
	}
	return "", 0
}

func hexByte(text string) (byte, bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[1:3], 16, 8)
	return byte(n), err == nil
}

// plainRune returns the ASCII character that programs take r for.
func plainRune(r rune) rune {
	switch {
	case r >= 0xff01 && r <= 0xff5e: // fullwidth forms
		return r - 0xfee0
	case r == 0x2215 || r == 0x2044 || r == 0x29f8:
		return '/'
	case r == 0x2216 || r == 0x29f5:
		return '\\'
	case r >= 0x2460 && r <= 0x2468: // circled digits
		return r - 0x2460 + '1'
	case r == 0x24ea:
		return '0'
	case r == 0x2024 || r == 0x3002 || r == 0xff61:
		return '.'
	default:
		return r
	}
}

// narrow turns the characters of text into the ASCII that programs take them for.
func narrow(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Map(plainRune, text)
		}
	}
	return text
}
