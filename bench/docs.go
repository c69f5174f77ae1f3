package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mcp-relay/relay/bench/internal/measure"
)

// parts are what a report consists of.
type parts struct {
	cost, web, growth *measure.Result
}

func (p *parts) goals() []measure.Goal {
	goals := append(costGoals(p.cost), httpGoals(p.web, "")...)
	return append(append(goals, httpGoals(p.web, modern)...), growthGoals(p.growth)...)
}

// section is a table of the page about performance, between the comments
// "begin NAME" and "end NAME".
type section struct {
	name  string
	write func(w io.Writer, p *parts)
}

func sections() []section {
	brief := func(of func(p *parts) *measure.Result, scenario string) func(io.Writer, *parts) {
		return func(w io.Writer, p *parts) { of(p).Brief(w, scenario) }
	}
	cost := func(p *parts) *measure.Result { return p.cost }
	web := func(p *parts) *measure.Result { return p.web }
	growth := func(p *parts) *measure.Result { return p.growth }
	return []section{
		{"run", writeRun},
		{"goals", func(w io.Writer, p *parts) { measure.WriteGoals(w, p.goals()) }},
		{"start", func(w io.Writer, p *parts) { p.cost.Starts(w) }},
		{"one", brief(cost, one)},
		{"many", brief(cost, many)},
		{"large", brief(cost, large)},
		{"list", brief(cost, list)},
		{"http start", func(w io.Writer, p *parts) { p.web.Starts(w) }},
		{"http one", brief(web, one)},
		{"http many", brief(web, many)},
		{"http large", brief(web, large)},
		{"http list", brief(web, list)},
		{"growth", brief(growth, one)},
		{"growth list", brief(growth, list)},
	}
}

// writeRun says where and when the tables were made.
func writeRun(w io.Writer, p *parts) {
	r := p.cost
	last := p.growth.Load
	fmt.Fprintf(w, "Made %s on %d processors (%s) with %s, %d rounds; load average %s before and %s after.\n",
		r.When, r.CPUs, r.Machine, r.Go, r.Rounds, r.Load[0], last[len(last)-1])
}

// writeDocs replaces the tables of a page.
func writeDocs(path string, p *parts) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(page)
	for _, s := range sections() {
		var table bytes.Buffer
		s.write(&table, p)
		if text, err = replace(text, s.name, table.String()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, []byte(text), 0o600) // it keeps the permissions that it has
}

// replace puts a table between the comments that name it.
func replace(page, name, table string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(page, begin)
	_, after, also := strings.Cut(rest, end)
	if !ok || !also {
		return "", fmt.Errorf("there is no place for the table %q", name)
	}
	return before + begin + "\n" + strings.TrimSpace(table) + "\n\n" + end + after, nil
}
