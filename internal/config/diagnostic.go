package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Diagnostic is one remark about the configuration.
type Diagnostic struct {
	File    string // where; a path, or the name of a variable or flag
	Line    int    // 1-based; 0 when the remark is not about a place in a file
	Column  int    // 1-based, in characters
	Key     string // the key it is about, for example relay.scanners[0].mode
	Message string
	Hint    string // what to do; may be empty
}

// String renders the diagnostic on one line, or two with a hint.
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		b.WriteString(printable(d.File))
		if d.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", d.Line, d.Column)
		}
		b.WriteString(": ")
	}
	if d.Key != "" {
		b.WriteString(d.Key + ": ")
	}
	b.WriteString(d.Message)
	if d.Hint != "" {
		b.WriteString("\n    hint: " + d.Hint)
	}
	return b.String()
}

// Problems is the error of [Load]: everything that is wrong, in file order.
type Problems []Diagnostic

var _ error = Problems(nil)

// Error renders all problems, one after the other.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p)+1)
	if len(p) > 1 {
		lines = append(lines, fmt.Sprintf("%d problems in the configuration:", len(p)))
	}
	for _, d := range p {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n")
}

// notes collects the problems and warnings of one load.
type notes struct {
	file     string
	problems []Diagnostic
	warnings []Diagnostic
}

// maxProblems keeps the report of a broken file readable and bounded.
const maxProblems = 100

func (n *notes) problem(at *node, hint, format string, args ...any) {
	n.report(n.place(at, hint, format, args...))
}

func (n *notes) warn(at *node, hint, format string, args ...any) {
	n.warnings = append(n.warnings, n.place(at, hint, format, args...))
}

func (n *notes) report(d Diagnostic) {
	if len(n.problems) < maxProblems {
		n.problems = append(n.problems, d)
	}
}

// general adds a warning that is not about a place in the file.
func (n *notes) general(file, hint, format string, args ...any) {
	n.warnings = append(n.warnings, Diagnostic{File: file, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (n *notes) place(at *node, hint, format string, args ...any) Diagnostic {
	d := Diagnostic{File: n.file, Message: fmt.Sprintf(format, args...), Hint: hint}
	if at != nil {
		d.Line, d.Column, d.Key = at.line, at.col, at.path
		if at.origin != "" {
			d.File = at.origin
		}
	}
	return d
}

// err returns the problems as an error, or nil.
func (n *notes) err() error {
	if len(n.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(n.problems, byPlace)
	return Problems(n.problems)
}

func byPlace(a, b Diagnostic) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// maxQuoted is how much of a foreign string a message repeats, in bytes.
const maxQuoted = 60

// quote renders a foreign string for a message: Go-quoted, ASCII, cut.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.QuoteToASCII(s)
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.QuoteToASCII(s[:cut]) + "..."
}

// quoteAll renders several foreign strings, at most ten of them.
func quoteAll(list []string) string {
	const most = 10
	quoted := make([]string, 0, most+1)
	for i, s := range list {
		if i == most {
			quoted = append(quoted, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		quoted = append(quoted, quote(s))
	}
	return strings.Join(quoted, ", ")
}

// printable returns s as it is when it is harmless on a terminal, else quoted.
func printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return strconv.QuoteToASCII(s)
		}
	}
	if !utf8.ValidString(s) {
		return strconv.QuoteToASCII(s)
	}
	return s
}
