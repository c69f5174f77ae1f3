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
	var (
		found []sighting
		c     colours
	)
	for i := 0; i < len(text); {
		at, detector := span{i, i + 1}, ""
		switch b := text[i]; {
		case b >= ' ' && b < del:
			i++
			continue
		case b == escKey:
			at, detector = sequence(text, i, i+1, &c)
		case b == 0xc2 && i+1 < len(text) && text[i+1] >= 0x80 && text[i+1] <= 0x9f:
			// One of the C1 controls, in UTF-8: an escape and a character in one.
			at, detector = eightBit(text, i, &c)
		case b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f', b == del:
			for at.end < len(text) && text[at.end] == b {
				at.end++
			}
			detector = "control"
			if overwrites(text, at) {
				detector = "overwrite"
			}
		}
		if detector != "" {
			found = append(found, sighting{detector: detector, at: at})
		}
		i = at.end
	}
	return append(found, returns(text)...)
}

// erasing is how many characters are taken back when that is no bold letter of a
// manual page.
const erasing = 3

// overwrites reports whether the control characters at take back what was shown.
func overwrites(text string, at span) bool {
	return (text[at.start] == back || text[at.start] == del) && at.end-at.start >= erasing
}

// Carriage returns that show one line over another: as many are no progress.
const (
	maxReturns = 2
	shownOver  = 12
)

// returns looks for a line that is shown over another one by a carriage return.
func returns(text string) []sighting {
	var found []sighting
	for i := 0; ; {
		n := strings.IndexByte(text[i:], '\r')
		if n < 0 {
			break
		}
		i += n + 1
		if i < len(text) && text[i] != '\n' && text[i] != '\r' && text[i] != escKey {
			found = append(found, sighting{detector: "return", at: span{i - 1, i}})
		}
		if len(found) > maxReturns {
			return nil
		}
	}
	for i := range found {
		at := found[i].at.start
		before := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
		after, _, _ := strings.Cut(text[at+1:], "\n")
		if len(before) >= shownOver && len(after) >= shownOver && !strings.ContainsAny(before+after, "%0123456789[]#=") {
			found[i].detector = "overwrite"
		}
	}
	return found
}

// eightBit classifies the C1 control at i. Those that start no sequence come
// out of broken conversions and do nothing.
func eightBit(text string, i int, c *colours) (span, string) {
	rest := i + 2
	switch text[i+1] {
	case 0x9b:
		return csi(text, i, rest, c)
	case 0x9d:
		return stringSequence(text, i, rest, true)
	case 0x90, 0x98, 0x9e, 0x9f:
		return stringSequence(text, i, rest, false)
	default:
		return span{i, rest}, ""
	}
}

// sequence classifies the escape sequence that starts at i and goes on at rest.
func sequence(text string, i, rest int, c *colours) (span, string) {
	if rest >= len(text) {
		return span{i, rest}, "terminal_other"
	}
	switch text[rest] {
	case '[':
		return csi(text, i, rest+1, c)
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
func csi(text string, i, rest int, c *colours) (span, string) {
	end := rest
	for end < len(text) && end-rest < maxSequence && text[end] >= 0x20 && text[end] <= 0x3f {
		end++
	}
	if end >= len(text) || text[end] < 0x40 || text[end] > 0x7e {
		return span{i, end}, "terminal_other"
	}
	at := span{i, end + 1}
	switch parameters := text[rest:end]; {
	case text[end] == 'K' && (parameters == "" || parameters == "0"):
		return at, "terminal_style" // compilers end their colours so
	case text[end] != 'm' || strings.ContainsAny(parameters, "<=>?"):
		return at, "terminal_cursor"
	case c.set(parameters) && end+1 < len(text):
		return at, "terminal_conceal"
	default:
		return at, "terminal_style"
	}
}

// colours are those that text is shown in.
type colours struct{ front, behind string }

// set applies the parameters of a style sequence and reports whether it hides
// text: by the conceal attribute, or by the same colour in front and behind.
func (c *colours) set(parameters string) bool {
	list := strings.FieldsFunc(parameters, func(r rune) bool { return r == ';' || r == ':' })
	conceals := false
	if len(list) == 0 {
		*c = colours{}
	}
	for i := 0; i < len(list); i++ {
		n, err := strconv.Atoi(list[i])
		switch {
		case err != nil:
		case n == 0:
			*c = colours{}
			conceals = false
		case n == 8:
			conceals = true
		case n == 38 || n == 48:
			// An extended colour: what follows are not attributes.
			size := 2
			if i+1 < len(list) && list[i+1] == "2" {
				size = 4
			}
			c.paint(n < 40, strings.Join(list[i+1:min(len(list), i+1+size)], ";"))
			i += size
		case n >= 30 && n <= 37, n >= 90 && n <= 97:
			c.paint(true, indexed(n, 30))
		case n >= 40 && n <= 47, n >= 100 && n <= 107:
			c.paint(false, indexed(n, 40))
		case n == 39, n == 49:
			c.paint(n == 39, "")
		}
	}
	return conceals || c.front != "" && c.front == c.behind
}

func (c *colours) paint(front bool, colour string) {
	if front {
		c.front = colour
	} else {
		c.behind = colour
	}
}

// indexed names one of the sixteen colours as the extended form does.
func indexed(n, base int) string {
	if n -= base; n >= 60 {
		n -= 52
	}
	return "5;" + strconv.Itoa(n)
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
