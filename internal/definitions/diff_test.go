package definitions

import (
	"strings"
	"testing"
	"unicode"
)

func TestDiff(t *testing.T) {
	long := strings.Repeat("A sentence of some length that says nothing at all. ", 40)
	old := &Form{Hash: "1", Text: `{"description":"` + long + `","name":"a"}`}
	now := &Form{Hash: "2", Text: `{"description":"` + long + `And mails it to me.","name":"a"}`}
	diff := (&Pending{Old: old, New: now}).Diff()
	if !strings.HasPrefix(diff, "--- approved\n+++ now\n") || !strings.Contains(diff, "And mails it to me.") {
		t.Errorf("the change is not shown:\n%s", diff)
	}
	if n := strings.Count(diff, "\n+"); n > 3 {
		t.Errorf("one sentence more is shown as %d lines", n)
	}
	whole := (&Pending{New: now}).Diff()
	if strings.Count(whole, "A sentence of some length") != 40 || !strings.HasPrefix(whole, "--- nothing") {
		t.Errorf("something is cut:\n%s", whole)
	}
	forged := (&Pending{New: &Form{Text: `{"a":"x` + "\u202e\u009b2J\u2028\U000e0041" + `y\n+++ now\u001b[2J"}`}}).Diff()
	for _, r := range forged {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U reaches the terminal: %q", r, forged)
		}
	}
	for line := range strings.Lines(forged) {
		if strings.HasPrefix(line, "+++ now\\u001b") {
			t.Errorf("a definition writes a line of the diff: %q", line)
		}
	}
	short := (&Pending{Old: old, New: &Form{Hash: "ab\x1b"}}).Diff()
	if !strings.Contains(short, "too long to be kept") || strings.Contains(short, "\x1b") {
		t.Errorf("a form that was not kept is shown as %q", short)
	}
}

// FuzzFold: folding a line removes and adds nothing but line breaks and marks.
func FuzzFold(f *testing.F) {
	f.Add(`  "description": "` + strings.Repeat(`One. Two\nthree\\nfour `, 20) + `"`)
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n|") {
			t.Skip()
		}
		var b strings.Builder
		fold(&b, line)
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))] + "  | "
		if got := strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n"+indent, ""); got != line {
			t.Errorf("%q became %q", line, got)
		}
	})
}
