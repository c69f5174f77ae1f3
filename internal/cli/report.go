package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/report"
)

// reportOptions are the flags of report.
type reportOptions struct {
	recordOptions

	since   string
	scanner string
	// run is replaced in tests of the flags.
	run func(o *reportOptions) error
}

func newReportCommand(std streams) *cobra.Command {
	o := &reportOptions{recordOptions: recordOptions{std: std}, run: runReport}
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Add up the audit record: what scanners said, and what observers would have blocked",
		Long: "Add up the audit record and its backups: what each scanner said, and would have done\n" +
			"if it observes, by rule, server and tool; how often it failed, how long it took; what\n" +
			"became of each server's messages; and whether an observer could be made to enforce.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return o.run(o) },
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.file, "audit", "", "audit file, if not the one of the configuration")
	f.StringVar(&o.since, "since", "7d", "how far back: 12h, 7d, or a day as 2026-11-01 (UTC)")
	f.StringVar(&o.scanner, "scanner", "", "only this scanner")
	return cmd
}

// reported is what report prints as JSON.
type reported struct {
	*report.Report

	Evidence []report.Evidence `json:"evidence"`
	Files    []string          `json:"files"`
}

func runReport(o *reportOptions) error {
	since, err := sinceWhen(o.since, time.Now())
	if err != nil {
		return invalid{err}
	}
	cfg, r, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	b := report.NewBuilder(since, o.scanner)
	if err := b.Read(r); err != nil {
		return fmt.Errorf("adding up the audit record: %w", err)
	}
	out := &reported{Report: b.Report(), Evidence: []report.Evidence{}, Files: r.Files()}
	for i := range out.Scanners {
		if s := &out.Scanners[i]; s.Mode == config.ModeObserve {
			out.Evidence = append(out.Evidence, s.Promote(timeoutOf(cfg, s.Name)))
		}
	}
	if o.json {
		return printJSON(o.std.out, out)
	}
	return out.print(o.std.out, cfg)
}

// timeoutOf returns the timeout of a scanner, or 0 when it is not known.
func timeoutOf(cfg *config.Config, scanner string) time.Duration {
	if cfg == nil {
		return 0
	}
	for i := range cfg.Relay.Scanners {
		if s := &cfg.Relay.Scanners[i]; s.Name == scanner {
			return s.Timeout
		}
	}
	return 0
}

var errSince = errors.New("--since is how far back to look, as 12h or 7d, or a day, as 2026-11-01")

// sinceWhen reads how far back to look.
func sinceWhen(text string, now time.Time) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 100_000 {
			return time.Time{}, errSince
		}
		return now.AddDate(0, 0, -n), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return time.Time{}, errSince
	}
	return now.Add(-d), nil
}
