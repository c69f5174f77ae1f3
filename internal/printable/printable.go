package printable

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes is how many bytes of a foreign string are shown. What is longer is
// cut between two characters and marked with an ellipsis.
const MaxBytes = 256

const ellipsis = "…"

// String returns s for a place where one word is expected: a column, a name in
// a sentence. A plain word stays as it is; anything else, including the empty
// string and a string with spaces, is quoted as a Go string literal, so that
// the reader sees where it begins and ends. Longer strings than [MaxBytes] are
// cut.
func String(s string) string {
	head := cut(s, MaxBytes)
	quoted := head
	if !isWord(head) {
		quoted = strconv.Quote(head)
	}
	if len(head) < len(s) {
		return quoted + ellipsis
	}
	return quoted
}

// Escape returns s for a place that has its own quoting, such as the value of a
// log attribute: characters that must not reach a terminal become Go escapes,
// all others stay, quotes and backslashes included. More than limit bytes of s
// are cut.
func Escape(s string, limit int) string {
	head := cut(s, limit)
	if len(head) == len(s) && isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(head) + len(ellipsis))
	for rest := head; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if isVisible(r, size) {
			b.WriteString(rest[:size])
		} else {
			quoted := strconv.Quote(rest[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		rest = rest[size:]
	}
	if len(head) < len(s) {
		b.WriteString(ellipsis)
	}
	return b.String()
}

// cut returns the longest head of s that has at most limit bytes and does not
// end inside a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(limit, 0)
	for end > 0 && limit-end < utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func isWord(s string) bool {
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if r == ' ' || r == '"' || r == '\\' || !isVisible(r, size) {
			return false
		}
		rest = rest[size:]
	}
	return s != ""
}

func isPlain(s string) bool {
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if !isVisible(r, size) {
			return false
		}
		rest = rest[size:]
	}
	return true
}

// isVisible is true for what strconv.Quote leaves alone. unicode.IsPrint is
// false for control (C0, C1), format (bidirectional overrides, zero width,
// tags), private use, surrogates, and every space but U+0020.
func isVisible(r rune, size int) bool {
	return unicode.IsPrint(r) && (r != utf8.RuneError || size > 1)
}
