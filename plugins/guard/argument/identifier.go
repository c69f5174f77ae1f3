package argument

import "strings"

// operators are what no identifier begins with and what conditions go on with.
var operators = [...]string{"and ", "or ", "xor ", "union ", "having ", "where ", "||", "&&", "')", "\")", "order by ", "group by "}

// OddIdentifier reports whether text, where an identifier, a name without spaces
// or a number is expected, is part of a statement: it has a quote that nothing
// closes, or begins with an operator.
func OddIdentifier(text string) bool {
	text = strings.TrimSpace(strings.ToLower(text))
	for _, o := range operators {
		if strings.HasPrefix(text, o) && strings.ContainsAny(text[len(o):], "0123456789=<>('\"") {
			return true
		}
	}
	return openQuote(text, '\'') || openQuote(text, '"')
}

// clitic reports whether text begins with a word that people shorten, as in van
// 't Hoff and rock 'n' roll.
func clitic(text string) bool {
	return len(text) > 3 && text[0] == '\'' && (text[1] == 't' || text[1] == 'n' || text[1] == 's') &&
		(text[2] == ' ' && letter(text[3]) || text[2] == '\'')
}

// openQuote reports whether a quote in text is not closed. Between letters it is
// an apostrophe.
func openQuote(text string, quote byte) bool {
	n := 0
	for i := range len(text) {
		if text[i] == quote && !clitic(text[i:]) && (i == 0 || i == len(text)-1 || !letter(text[i-1]) || !letter(text[i+1])) {
			n++
		}
	}
	return n%2 == 1
}
