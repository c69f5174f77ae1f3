package conformance

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// docsFile names the variable with the document that make conformance keeps up
// to date.
const docsFile = "RELAY_CONFORMANCE_DOCS"

// report is what a leg of the suite came to.
type report struct{ tables []*table }

// table has a row for each scenario and a column for each run.
type table struct {
	title    string
	required []string
	unscored map[string]string // with the reason
	heads    []string
	cells    []map[string]string
	passed   []string // per column, of what counts
	notes    []string
}

// add adds a run. A required scenario that did not pass fails the test.
func (p *table) add(t *testing.T, head string, results map[string]tally, excluded func(scenario string) *exclusion) {
	t.Helper()
	cells := map[string]string{}
	passed, counted := 0, 0
	for _, scenario := range p.required {
		c, ran := results[scenario]
		mark := ""
		if x := excluded(scenario); x != nil {
			mark = p.note(x.why)
			if len(x.checks) == 0 {
				cells[scenario] = "–" + mark
				continue
			}
			c = c.without(x.checks)
		}
		counted++
		switch {
		case !ran:
			cells[scenario] = "**not run**"
			t.Errorf("%s: did not run", scenario)
		case c.ok():
			passed++
			cells[scenario] = c.String() + mark
		default:
			cells[scenario] = c.String()
			t.Errorf("%s: %d passed, %d failed: %s", scenario, c.passed, c.failed, strings.Join(c.why, "; "))
		}
	}
	for scenario := range p.unscored {
		if c, ran := results[scenario]; ran {
			cells[scenario] = strings.Trim(c.String(), "*")
		}
	}
	p.heads = append(p.heads, head)
	p.cells = append(p.cells, cells)
	p.passed = append(p.passed, fmt.Sprintf("%d/%d", passed, counted))
	t.Logf("%s, %s: %d/%d", p.title, head, passed, counted)
}

// note returns the mark of a reason.
func (p *table) note(why string) string {
	i := slices.Index(p.notes, why)
	if i < 0 {
		i = len(p.notes)
		p.notes = append(p.notes, why)
	}
	return fmt.Sprintf(" (%d)", i+1)
}

func (p *table) markdown() string {
	var b strings.Builder
	row := func(first string, cells []string) {
		fmt.Fprintf(&b, "| %s | %s |\n", first, strings.Join(cells, " | "))
	}
	fmt.Fprintf(&b, "### %s\n\n", p.title)
	row("scenario", p.heads)
	fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(p.heads)))
	line := func(scenario string) []string {
		out := make([]string, len(p.cells))
		for i, cells := range p.cells {
			out[i] = cells[scenario]
		}
		return out
	}
	row("**required, passed**", p.passed)
	for _, scenario := range p.required {
		row(scenario, line(scenario))
	}
	for _, scenario := range slices.Sorted(maps.Keys(p.unscored)) {
		if cells := line(scenario); strings.Join(cells, "") != "" {
			row("*"+scenario+"* ("+p.unscored[scenario]+")", cells)
		}
	}
	for i, why := range p.notes {
		fmt.Fprintf(&b, "\n(%d) %s.\n", i+1, why)
	}
	return b.String()
}

// publish prints the tables, and puts them into the document between the marks
// of the leg.
func (r *report) publish(t *testing.T, leg string) {
	t.Helper()
	var parts []string
	for _, p := range r.tables {
		if len(p.heads) > 0 {
			parts = append(parts, p.markdown())
		}
	}
	text := strings.Join(parts, "\n")
	t.Logf("\n%s", text)
	path := os.Getenv(docsFile)
	if path == "" {
		return
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := between(string(page), leg, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
}

// between puts text between the marks of a name in a document.
func between(page, name, text string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("the document has no place for %s", name)
	}
	return before + begin + "\n" + text + "\n" + end + after, nil
}

func TestBetween(t *testing.T) {
	page := "a\n<!-- begin x -->\nold\n<!-- end x -->\nz\n"
	got, err := between(page, "x", "new")
	if err != nil || got != "a\n<!-- begin x -->\n\nnew\n<!-- end x -->\nz\n" {
		t.Errorf("got %q: %v", got, err)
	}
	if _, err := between(page, "y", ""); err == nil {
		t.Error("a place that is not there was found")
	}
}

// A column that lacks a required scenario, or in which one failed, is a failure.
func TestTableCounts(t *testing.T) {
	for _, c := range []struct {
		tally tally
		ok    bool
		text  string
	}{
		{tally{passed: 2}, true, "2/2"},
		{tally{passed: 1, failed: 1}, false, "**1/2**"},
		{tally{}, false, "**0/0**"},
		{tally{passed: 1, warned: 1}, true, "1/1 (1 warned)"},
	} {
		if c.tally.ok() != c.ok || c.tally.String() != c.text {
			t.Errorf("%+v: %v %s", c.tally, c.tally.ok(), c.tally)
		}
	}
}
