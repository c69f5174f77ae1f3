package guard

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The control characters that begin or end terminal sequences.
const (
	bell   = 0x07
	back   = 0x08
	escKey = 0x1b
	del    = 0x7f
)

// maxSequence is how far a terminal sequence is read, in bytes.
const maxSequence = 4096

// terminal looks for characters that make a terminal do something: escape
// sequences in seven and in eight bits, and other control characters.
func terminal(text string) []sighting {
	var found []sighting
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == escKey:
			at, detector := sequence(text, i, i+1)
			found = append(found, sighting{detector: detector, at: at})
			i = at.end
		case c == 0xc2 && i+1 < len(text) && text[i+1] >= 0x80 && text[i+1] <= 0x9f:
			// One of the C1 controls, in UTF-8: an escape and a character in one.
			at, detector := eightBit(text, i)
			if detector != "" {
				found = append(found, sighting{detector: detector, at: at})
			}
			i = at.end
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f', c == del:
			end := i + 1
			for end < len(text) && text[end] == c {
				end++
			}
			found = append(found, sighting{detector: "control", at: span{i, end}})
			i = end
		default:
			i++
		}
	}
	return found
}

// eightBit classifies the C1 control at i. Those that start no sequence come
// out of broken conversions and do nothing.
func eightBit(text string, i int) (span, string) {
	rest := i + 2
	switch text[i+1] {
	case 0x9b:
		return csi(text, i, rest)
	case 0x9d:
		return stringSequence(text, i, rest, true)
	case 0x90, 0x98, 0x9e, 0x9f:
		return stringSequence(text, i, rest, false)
	default:
		return span{i, rest}, ""
	}
}

// sequence classifies the escape sequence that starts at i and goes on at rest.
func sequence(text string, i, rest int) (span, string) {
	if rest >= len(text) {
		return span{i, rest}, "terminal_other"
	}
	switch text[rest] {
	case '[':
		return csi(text, i, rest+1)
	case ']':
		return stringSequence(text, i, rest+1, true)
	case 'P', 'X', '^', '_':
		return stringSequence(text, i, rest+1, false)
	default:
		_, size := utf8.DecodeRuneInString(text[rest:])
		return span{i, rest + size}, "terminal_other"
	}
}

// csi reads a control sequence; rest is where its parameters begin.
func csi(text string, i, rest int) (span, string) {
	end := rest
	for end < len(text) && end-rest < maxSequence && text[end] >= 0x20 && text[end] <= 0x3f {
		end++
	}
	if end >= len(text) || text[end] < 0x40 || text[end] > 0x7e {
		return span{i, end}, "terminal_other"
	}
	if text[end] != 'm' {
		return span{i, end + 1}, "terminal_cursor"
	}
	if concealing(text[rest:end]) {
		return span{i, end + 1}, "terminal_conceal"
	}
	return span{i, end + 1}, "terminal_style"
}

// concealing reports whether the parameters of a style sequence hide text:
// the conceal attribute, or the same colour in front and behind.
func concealing(parameters string) bool {
	front, behind := -1, -2
	for p := range strings.SplitSeq(parameters, ";") {
		n, err := strconv.Atoi(p)
		switch {
		case err != nil:
		case n == 8 && front < 0 && behind < 0:
			return true
		case n == 38 || n == 48:
			return false // an extended colour: what follows are not attributes
		case n >= 30 && n <= 37, n >= 90 && n <= 97:
			front = n
		case n >= 40 && n <= 47, n >= 100 && n <= 107:
			behind = n - 10
		}
	}
	return front == behind
}

// stringSequence reads a sequence with a text in it, up to its terminator.
func stringSequence(text string, i, rest int, osc bool) (span, string) {
	limit := min(len(text), rest+maxSequence)
	end := limit
	for j := rest; j < limit; j++ {
		if text[j] == bell {
			end = j + 1
			break
		}
		if text[j] == escKey && j+1 < len(text) && text[j+1] == '\\' || text[j] == 0xc2 && j+1 < len(text) && text[j+1] == 0x9c {
			end = j + 2
			break
		}
	}
	if osc {
		number, _, _ := strings.Cut(text[rest:end], ";")
		switch number {
		case "0", "1", "2", "8":
			return span{i, end}, "terminal_title" // a title or a link
		}
	}
	return span{i, end}, "terminal_string"
}
