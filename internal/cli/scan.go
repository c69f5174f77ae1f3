package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/eval"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/verdict"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	lineupOptions

	file   string // "-": standard input
	phase  string
	server string
	tool   string
	asJSON bool
	failOn string
	// run is replaced in tests of the flags.
	run func(ctx context.Context, o *scanOptions) error
}

func newScanCommand(std streams) *cobra.Command {
	o := &scanOptions{lineupOptions: lineupOptions{std: std}, run: runScan}
	cmd := &cobra.Command{
		Use:   "scan [FILE]",
		Short: "Have the configured scanners judge one file, or standard input",
		Long: "Have every configured scanner judge the content of FILE, or of standard input, as if\n" +
			"it came through the relay, and print what they find. A response is the text that a\n" +
			"tool returned; a definition is the JSON of a tool, or of a tools/list result; a\n" +
			"request is the params of a tools/call. Without a configuration the scanners judge\n" +
			"that judge without one.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = "-"
			if len(args) > 0 {
				o.file = args[0]
			}
			return o.run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVar(&o.phase, "phase", verdict.Response.String(), "definition, request, response, server_request or notification")
	f.StringVar(&o.server, "server", "", "name of the server that it would come from")
	f.StringVar(&o.tool, "tool", "", "name of the tool that it would come from")
	f.BoolVar(&o.asJSON, "parse", false, "take the content as JSON, not as text; definitions and requests are JSON anyway")
	f.StringVar(&o.failOn, "fail-on", verdict.Block.String(), "exit with 1 from this action on: flag, redact, block or never")
	return cmd
}

// maxScanned bounds the content, in bytes.
const maxScanned = 64 << 20

var (
	errScanned = errors.New("the scanners object; see above")
	errFailOn  = errors.New("--fail-on is flag, redact, block or never")
	errTooBig  = errors.New("the content is larger than 64 MiB")
)

func runScan(ctx context.Context, o *scanOptions) error {
	limit, err := o.limit()
	if err != nil {
		return invalid{err}
	}
	items, err := o.items()
	if err != nil {
		return invalid{err}
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	var results []*eval.Result
	options := eval.Options{Drift: driftPolicy(&l.cfg.Relay.Definitions)}
	err = eval.Run(ctx, l.Lineup, items, options, func(r *eval.Result) { results = append(results, r) })
	if err != nil {
		return fmt.Errorf("judging it: %w", err)
	}
	if o.json {
		err = printJSON(o.std.out, results)
	} else {
		for _, r := range results {
			o.print(r, len(results) > 1)
		}
	}
	if err != nil {
		return err
	}
	for _, r := range results {
		switch {
		case r.Failed() || !r.Judged():
			return errIncomplete
		case r.Action >= limit:
			err = errScanned
		}
	}
	return err
}

// limit returns from which action on the command fails.
func (o *scanOptions) limit() (verdict.Action, error) {
	for a := verdict.Flag; a <= verdict.Block; a++ {
		if a.String() == o.failOn {
			return a, nil
		}
	}
	if o.failOn == "never" {
		return verdict.Block + 1, nil
	}
	return 0, errFailOn
}

// items returns what is to be judged.
func (o *scanOptions) items() ([]eval.Item, error) {
	in := o.std.in
	if o.file != "-" {
		f, err := os.Open(o.file)
		if err != nil {
			return nil, fmt.Errorf("reading the content: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxScanned+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the content: %w", err)
	case len(data) > maxScanned:
		return nil, errTooBig
	}
	like := eval.Item{ID: filepath.Base(o.file), Label: eval.Malicious, Server: o.server, Tool: o.tool}
	if err := like.Phase.UnmarshalText([]byte(o.phase)); err != nil {
		return nil, fmt.Errorf("--phase: %w", err)
	}
	return eval.Parse(like, data, o.asJSON) //nolint:wrapcheck // it says what is wrong
}

// print says what was found, for people.
func (o *scanOptions) print(r *eval.Result, several bool) {
	w := o.std.out
	if several {
		fmt.Fprintf(w, "%s: ", printable.String(r.Item.ID))
	}
	fmt.Fprintf(w, "%s\n", r.Action)
	for i := range r.Opinions {
		p := &r.Opinions[i]
		switch {
		case p.Failure != "":
			fmt.Fprintf(w, "  %s gave NO VERDICT: %s\n", printable.String(p.Scanner), printable.String(p.Failure))
		case p.Judged && p.Scanner != eval.Own:
			fmt.Fprintf(w, "  %s says %s, after %s\n", printable.String(p.Scanner), p.Action, p.ScannerTime.Round(time.Microsecond))
		}
		for j := range p.Findings {
			f := &p.Findings[j]
			fmt.Fprintf(w, "    %s %s (%s) at %s\n",
				f.Severity, printable.String(f.Rule), printable.String(f.Category), located(&f.Location))
			if f.Message != "" {
				fmt.Fprintf(w, "      %s\n", printable.Escape(f.Message, maxLine))
			}
		}
		for _, u := range p.Uninspected {
			fmt.Fprintf(w, "    NOT inspected: %s (%s)\n", printable.String(u.Pointer), printable.String(u.Reason))
		}
	}
}

// located says where a finding is.
func located(l *verdict.Location) string {
	if l.End > 0 {
		return fmt.Sprintf("%s, bytes %d to %d", place(l.Pointer), l.Start, l.End)
	}
	return place(l.Pointer)
}
