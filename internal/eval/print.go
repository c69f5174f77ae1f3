package eval

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/mcp-relay/relay/internal/printable"
)

// maxName bounds what is printed of a foreign name, in bytes.
const maxName = 60

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(out, "%d items: %d malicious, %d benign\n", r.Items, r.Malicious, r.Benign)
	if r.Unjudged > 0 {
		fmt.Fprintf(out, "%d of them NOBODY judged\n", r.Unjudged)
	}
	for _, scanner := range slices.Sorted(maps.Keys(r.Failures)) {
		for _, reason := range slices.Sorted(maps.Keys(r.Failures[scanner])) {
			fmt.Fprintf(out, "%d of them got NO VERDICT of %s: %s\n", r.Failures[scanner][reason], name(scanner), name(reason))
		}
	}
	r.Detection.write(out, "found of malicious items", "what was found, by category")
	r.FalsePositives.write(out, "found in benign items (false positives)", "false positives, by category")
	if len(r.Fired) > 0 {
		fmt.Fprint(out, "\nrules that found something in benign items\n")
		for i := range r.Fired {
			f := &r.Fired[i]
			fmt.Fprintf(out, "  %d\t%s\t%s\t%s\t%s\t%s\n",
				f.Items, name(f.Scanner), name(f.Rule), f.Phase, name(f.Category), name(f.Examples[0]))
		}
	}
	for i := range r.Scanners {
		s := &r.Scanners[i]
		if len(r.Scanners) > 1 {
			s.Detection.write(out, name(s.Scanner)+" by itself, malicious items", "")
			s.FalsePositives.write(out, name(s.Scanner)+" by itself, benign items", "")
		}
		if len(s.Times) == 0 {
			continue
		}
		fmt.Fprintf(out, "\ntime in %s\tmedian\t95 %%\t99 %%\tlongest\tmedian size\n", name(s.Scanner))
		for _, t := range s.Times {
			fmt.Fprintf(out, "  %s\t%s\t%s\t%s\t%s\t%d bytes\n",
				t.Phase, round(t.Median), round(t.P95), round(t.P99), round(t.Max), t.Bytes)
		}
	}
	return out.Flush() //nolint:wrapcheck // the caller knows where it writes
}

func (s *Section) write(out io.Writer, title, byCategory string) {
	if len(s.ByPhase) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\tfound\tblocked\n", title)
	for i := range s.ByPhase {
		s.ByPhase[i].write(out)
	}
	if byCategory == "" {
		return
	}
	fmt.Fprintf(out, "\n%s\tfound\tblocked\n", byCategory)
	for i := range s.ByCategory {
		s.ByCategory[i].write(out)
	}
}

func (r *Row) write(out io.Writer) {
	label := name(r.Phase)
	if r.Tier != "" {
		label += " " + name(r.Tier)
	}
	if r.Category != "" {
		label += " " + name(r.Category)
	}
	fmt.Fprintf(out, "  %s\t%s\t%s\n", label, &r.Found, &r.Blocked)
}

// name returns a foreign name as it may be printed.
func name(s string) string { return printable.Escape(s, maxName) }

// round leaves of a duration what a person reads.
func round(d time.Duration) time.Duration {
	const digits = 1000
	if d < digits*time.Microsecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}
