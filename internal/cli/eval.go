package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/eval"
	"github.com/mcp-relay/relay/internal/printable"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	lineupOptions

	dir      string
	out      string
	parallel int
	// run is replaced in tests of the flags.
	run func(ctx context.Context, o *evalOptions) error
}

func newEvalCommand(std streams) *cobra.Command {
	o := &evalOptions{lineupOptions: lineupOptions{std: std}, run: runEval}
	cmd := &cobra.Command{
		Use:   "eval DIR",
		Short: "Measure the configured scanners on a labelled corpus",
		Long: "Have every item of the corpus in DIR (*.jsonl; see docs/detection.md) judged by every\n" +
			"configured scanner, and print what was found of the malicious ones, what was found\n" +
			"in benign ones and by which rule, and how long it took. Without a configuration the\n" +
			"scanners judge that judge without one. Scanners that ask a service send it the corpus.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			return o.run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVarP(&o.out, "out", "o", "", "write one JSON line per item to this file: id, action, findings")
	f.IntVar(&o.parallel, "parallel", 2, "items in judgement at a time")
	return cmd
}

var errIncomplete = errors.New("not everything was judged; see above")

// maxSkippedShown is how many unusable lines of a corpus are told one by one.
const maxSkippedShown = 20

func runEval(ctx context.Context, o *evalOptions) error {
	items, skipped, err := eval.ReadDir(o.dir)
	o.tell(skipped)
	if err != nil {
		return invalid{err}
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	out, err := o.create()
	if err != nil {
		return err
	}
	results := make([]*eval.Result, 0, len(items))
	options := eval.Options{Drift: driftPolicy(&l.cfg.Relay.Definitions), Parallel: o.parallel}
	err = eval.Run(ctx, l.Lineup, items, options, func(r *eval.Result) {
		results = append(results, r)
		out.write(r)
	})
	if err = errors.Join(err, out.close()); err != nil {
		return fmt.Errorf("judging the corpus: %w", err)
	}
	report := eval.Summarise(results, l.Names())
	if o.json {
		err = printJSON(o.std.out, report)
	} else {
		err = report.Print(o.std.out)
	}
	if err == nil && (len(skipped) > 0 || len(report.Failures) > 0 || report.Unjudged > 0) {
		return errIncomplete
	}
	return err
}

// tell says which lines of the corpus were left out.
func (o *evalOptions) tell(skipped []error) {
	for i, err := range skipped {
		if i == maxSkippedShown {
			fmt.Fprintf(o.std.err, "and %d more lines were left out\n", len(skipped)-i)
			return
		}
		fmt.Fprintln(o.std.err, "left out:", printable.Escape(err.Error(), maxLine))
	}
}

// resultFile is where results go, one line each; nowhere when file is nil.
type resultFile struct {
	file *os.File
	buf  *bufio.Writer
	err  error
}

func (o *evalOptions) create() (*resultFile, error) {
	if o.out == "" {
		return &resultFile{}, nil
	}
	// Findings may quote what they found.
	file, err := os.OpenFile(o.out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, invalid{fmt.Errorf("--out: %w", err)}
	}
	return &resultFile{file: file, buf: bufio.NewWriter(file)}, nil
}

func (f *resultFile) write(r *eval.Result) {
	if f.file == nil || f.err != nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = f.buf.Write(append(line, '\n'))
	}
	f.err = err
}

func (f *resultFile) close() error {
	if f.file == nil {
		return nil
	}
	return errors.Join(f.err, f.buf.Flush(), f.file.Close())
}
