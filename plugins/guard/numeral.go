package guard

import (
	"strconv"
	"strings"
)

// minNumerals is how many numbers in a row are read as text.
const minNumerals = 12

// numeralText returns texts that are written as numbers, one for a letter: in
// binary, octal, decimal or hexadecimal, or as the letter's place in the
// alphabet. Cut: there was more.
func numeralText(text string) (views []view, cut bool) {
	var tokens []string
	for i := 0; i < len(text); {
		if !hexNumeral(text[i]) || i > 0 && wordByte(text[i-1]) {
			i++
			continue
		}
		var end int
		tokens, end = numeralRun(tokens[:0], text, i)
		if len(tokens) >= minNumerals || len(tokens) == 1 && len(tokens[0]) >= 8*minNumerals {
			at := span{i, end}
			if plain, via := readNumerals(tokens, text[i:end]); plain != "" {
				if len(views) == maxDecoded {
					return views, true
				}
				views = append(views, view{text: plain, via: via, hidden: via != "hex", whole: &at})
			}
		}
		i = max(end, i+1)
	}
	return views, false
}

// numeralRun returns the numbers that stand in a row from start on, with one or
// two separators between them, appended to tokens.
func numeralRun(tokens []string, text string, start int) (_ []string, end int) {
	i := start
	for i < len(text) {
		from := i
		if strings.HasPrefix(text[i:], "0x") || strings.HasPrefix(text[i:], `\x`) {
			i += 2
			from = i
		}
		for i < len(text) && hexNumeral(text[i]) {
			i++
		}
		if i == from || i < len(text) && wordByte(text[i]) || i-from > 4 && len(tokens) > 0 && !bitToken(text[from:i]) {
			break
		}
		tokens = append(tokens, text[from:i])
		end = i
		for i < len(text) && i-end < 3 && strings.IndexByte(" ,:-;/\n", text[i]) >= 0 {
			i++
		}
		if i == end {
			break
		}
	}
	return tokens, end
}

func hexNumeral(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func bitToken(s string) bool { return strings.Trim(s, "01") == "" }

// readNumerals tries the bases in which the numbers can be written.
func readNumerals(tokens []string, source string) (plain, via string) {
	if len(tokens) == 1 {
		if !bitToken(tokens[0]) {
			return "", ""
		}
		for _, width := range []int{8, 7} {
			var parts []string
			for i := 0; i+width <= len(tokens[0]); i += width {
				parts = append(parts, tokens[0][i:i+width])
			}
			if s := inBase(parts, 2, width, width); readable(s) {
				return s, "binary"
			}
		}
		return "", ""
	}
	for _, b := range []struct {
		via              string
		base, min, width int
	}{{"binary", 2, 6, 8}, {"octal", 8, 2, 3}, {"decimal", 10, 2, 3}, {"hex", 16, 2, 2}} {
		if s := inBase(tokens, b.base, b.min, b.width); readable(s) {
			return s, b.via
		}
	}
	return places(tokens, source), "numbers of letters"
}

// inBase reads numbers of least to most digits as ASCII; "" when one is not.
func inBase(tokens []string, base, least, most int) string {
	out := make([]byte, 0, len(tokens))
	for _, t := range tokens {
		n, err := strconv.ParseUint(t, base, 8)
		if err != nil || len(t) < least || len(t) > most || n > 126 || n < 32 && n != '\n' && n != '\t' {
			return ""
		}
		out = append(out, byte(n))
	}
	return string(out)
}

// places reads numbers as places in the alphabet, with a dash between letters and
// a wider gap between words. Lists of small numbers are no words.
func places(tokens []string, source string) string {
	if strings.Count(source, "-") < len(tokens)/2 {
		return ""
	}
	var b strings.Builder
	for word := range strings.FieldsSeq(source) {
		for n := range strings.FieldsFuncSeq(word, func(r rune) bool { return r < '0' || r > '9' }) {
			place, err := strconv.Atoi(n)
			if err != nil || place < 1 || place > 26 {
				return ""
			}
			b.WriteByte(byte('a' + place - 1))
		}
		b.WriteByte(' ')
	}
	s := b.String()
	if !english(s) {
		return ""
	}
	return s
}
