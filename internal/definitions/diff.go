package definitions

import (
	"strings"

	udiff "github.com/aymanbagabas/go-udiff"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/internal/printable"
)

// Diff returns a unified diff from the approved form to the one that is offered
// now, of the definitions as people read JSON. It is safe to print: what could
// fool a terminal is escaped, and nothing is cut.
func (p *Pending) Diff() string {
	old, before := "nothing", ""
	if p.Old != nil {
		old, before = "approved", p.Old.lines()
	}
	return udiff.Unified(old, "now", before, p.New.lines())
}

// lines returns a form as lines that are safe to print.
func (f *Form) lines() string {
	if f.Text == "" {
		return "(too long to be kept; the SHA-256 of its canonical form is " + printable.String(f.Hash) + ")\n"
	}
	text := jsontext.Value(f.Text)
	_ = text.Indent(jsontext.WithIndent("  ")) // what has no canonical form is shown as it came
	var b strings.Builder
	for line := range strings.SplitSeq(string(text), "\n") {
		fold(&b, printable.Escape(line, len(line)))
	}
	return b.String()
}

// Where long lines are folded, so that a change of one sentence is not shown as
// a change of the whole text.
const (
	foldAfter = 60  // bytes, at the end of a sentence or paragraph
	foldAt    = 110 // bytes, at a space
)

// fold writes a line, as several when it is long.
func fold(b *strings.Builder, line string) {
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))] + "  | "
	for first := true; line != ""; first = false {
		if !first {
			b.WriteString(indent)
		}
		end := foldPoint(line)
		b.WriteString(line[:end])
		b.WriteByte('\n')
		line = line[end:]
	}
}

// foldPoint returns after how many bytes a line is folded.
func foldPoint(line string) int {
	if len(line) <= foldAt {
		return len(line)
	}
	for i := 0; i+1 < len(line); i++ {
		switch {
		case line[i] == '\\' && line[i+1] == 'n' && i > foldAfter/2:
			return i + 2 //nolint:mnd // behind it
		case line[i] == '\\':
			i++ // whatever it stands for
		case i > foldAfter && line[i] == '.' && line[i+1] == ' ', i > foldAt && line[i] == ' ':
			return i + 1
		}
	}
	return len(line)
}
