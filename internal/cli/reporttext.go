package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/report"
)

// listed is how many of the most frequent things are printed; JSON has them all.
const listed = 10

func (r *reported) print(out io.Writer, cfg *config.Config) error {
	fmt.Fprintf(out, "%d records since %s", r.Records, stamp(r.Since))
	if r.Records > 0 {
		fmt.Fprintf(out, ", from %s to %s", stamp(r.First), stamp(r.Last))
	}
	fmt.Fprintln(out)
	if r.Torn > 0 {
		fmt.Fprintf(out, "%d lines could not be read and are left out\n", r.Torn)
	}
	if r.Lost > 0 {
		fmt.Fprintf(out, "%d records could not be written at the time\n", r.Lost)
	}
	if r.Relay.Count > 0 {
		fmt.Fprintf(out, "the relay's own work on a message: %s\n", times(&r.Relay))
	}
	for i := range r.Scanners {
		r.printScanner(out, &r.Scanners[i])
	}
	if err := r.printServers(out); err != nil {
		return err
	}
	top(out, "passed or refused with no scanner asked", r.Unscanned)
	top(out, "messages that the protocol does not allow, by server", r.Anomalies)
	top(out, "definitions that changed, by server", r.Drift)
	for i := range r.Evidence {
		r.printEvidence(out, &r.Evidence[i], cfg)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

func times(t *report.Times) string {
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s", report.Of(t.P50), report.Of(t.P95), report.Of(t.P99))
}

func (r *reported) printScanner(out io.Writer, s *report.Scanner) {
	would := ""
	if s.Mode == config.ModeObserve {
		would = "would have "
	}
	fmt.Fprintf(out, "\nscanner %s, mode %s: %d messages\n", printable.String(s.Name), printable.String(s.Mode), s.Messages)
	for _, line := range []struct {
		n    uint64
		what string
	}{
		{s.Block, would + "blocked"}, {s.Redact, would + "redacted"}, {s.Flag, would + "flagged"},
		{s.Failed, "gave no verdict"},
	} {
		fmt.Fprintf(out, "  %s %d (%.2g %%)\n", line.what, line.n, s.Share(line.n))
	}
	if s.Cached > 0 {
		fmt.Fprintf(out, "  of an earlier verdict on the same content: %d\n", s.Cached)
	}
	if s.NotAsked > 0 {
		fmt.Fprintf(out, "  stopped because another had blocked the message: %d\n", s.NotAsked)
	}
	if s.Times.Count > 0 {
		fmt.Fprintf(out, "  a scan took %s\n", times(&s.Times))
	}
	indented := indent{out}
	top(indented, "why no verdict", s.Failures)
	top(indented, would+"acted on, by rule", s.Rules)
	top(indented, would+"acted on, by server", s.Servers)
	top(indented, would+"acted on, by tool", s.Tools)
	top(indented, "parts that were not inspected", s.Uninspected)
	for i := range s.Latest[:min(len(s.Latest), shown)] {
		printSighting(indented, &s.Latest[i], i == 0, would)
	}
}

// shown is how many of the latest messages are printed; JSON has more.
const shown = 5

// printSighting names one message, under the ids by which more is found.
func printSighting(out io.Writer, s *report.Sighting, first bool, would string) {
	if first {
		fmt.Fprintf(out, "%sacted on, the latest:\n", would)
	}
	line := fmt.Sprintf("  %s  %s %s, relay explain %s", stamp(s.Time), printable.String(s.Action),
		printable.String(s.Server), printable.String(s.ScanID))
	if s.Reference != "" {
		line += ", its own id " + printable.String(s.Reference)
	}
	fmt.Fprintln(out, line)
	if s.Link != "" {
		fmt.Fprintf(out, "    %s\n", printable.Escape(s.Link, longestLink))
	}
}

// indent writes each of its lines two characters further in. It gets whole lines.
type indent struct{ out io.Writer }

func (i indent) Write(p []byte) (int, error) {
	if _, err := io.WriteString(i.out, "  "); err != nil {
		return 0, err //nolint:wrapcheck // it is only passed on
	}
	return i.out.Write(p) //nolint:wrapcheck // as above
}

// top prints the most frequent things of a kind.
func top(out io.Writer, title string, list []report.Count) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(out, "%s:\n", title)
	for i := range list[:min(len(list), listed)] {
		fmt.Fprintf(out, "  %8d  %s\n", list[i].Count, printable.Escape(list[i].Name, printable.MaxBytes))
	}
	if more := len(list) - listed; more > 0 {
		fmt.Fprintf(out, "  and %d more; --json has them\n", more)
	}
}

func (r *reported) printServers(out io.Writer) error {
	if len(r.Servers) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVER\tMESSAGES\tPASSED\tIN PART\tBLOCKED\tHELD BACK\tNOT SCANNED\tWITHHELD")
	for i := range r.Servers {
		s := &r.Servers[i]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", printable.String(s.Name), s.Messages, s.Passed, s.PassedInPart,
			s.Blocked, s.HeldBack, s.Unscanned, s.Withheld)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// printEvidence says whether an observer could enforce, and what to change.
func (r *reported) printEvidence(out io.Writer, e *report.Evidence, cfg *config.Config) {
	for i := range r.Scanners {
		s := &r.Scanners[i]
		if s.Name != e.Scanner || s.Mode != config.ModeObserve {
			continue
		}
		fmt.Fprintf(out, "\nmake %s enforce? It judged %d messages and would have blocked %d (%.2g %%) and redacted %d; "+
			"it failed on %d (%.2g %%); p95 %s", printable.String(s.Name), s.Messages, s.Block, s.Share(s.Block), s.Redact,
			s.Failed, s.Share(s.Failed), report.Of(s.Times.P95))
		if timeout := timeoutOf(cfg, s.Name); timeout > 0 {
			fmt.Fprintf(out, " of a timeout of %s", timeout)
		}
		fmt.Fprintln(out, ".")
		for _, why := range e.Against {
			fmt.Fprintf(out, "  not yet: %s\n", why)
		}
		if e.Ready {
			fmt.Fprintf(out, "  nothing speaks against it. In the entry of relay.scanners whose name is %s, set\n    mode: enforce\n"+
				"  and leave the rest as it is. relay explain SCAN_ID shows what it would have blocked.\n", printable.String(s.Name))
		}
	}
}
