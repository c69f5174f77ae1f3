package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/printable"
)

// rulesTestOptions are the flags of rules test.
type rulesTestOptions struct {
	std   streams
	files []string
	json  bool
}

func newRulesTestCommand(std streams) *cobra.Command {
	o := &rulesTestOptions{std: std}
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Check files of rules for guard, and run the tests in them",
		Long: "Check files of rules: that they can be used, that each rule finds what its tests say\n" +
			"it must and nothing that it must not, and how many items of a small sample of\n" +
			"harmless content it finds. The status is 1 when a test fails, and 2 when a file\n" +
			"cannot be used.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runRulesTest(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// testedFile is what is said of one file.
type testedFile struct {
	File     string                `json:"file"`
	OK       bool                  `json:"ok"`
	Problems []bundled.RuleProblem `json:"problems"`
	Failed   []bundled.RuleProblem `json:"failed"`
	Sample   int                   `json:"sample"`
	Rules    []bundled.CheckedRule `json:"rules"`
}

// largestRules bounds what is read of a file, in bytes: more than guard takes.
const largestRules = 1 << 20

func runRulesTest(ctx context.Context, o *rulesTestOptions) error {
	var tested []testedFile
	unusable, failed := false, false
	for _, name := range o.files {
		data, err := readAtMost(name, largestRules)
		if err != nil {
			return invalid{fmt.Errorf("reading the rules: %w", err)}
		}
		check, err := bundled.CheckRules(ctx, data)
		if err != nil {
			return fmt.Errorf("testing the rules: %w", err)
		}
		unusable = unusable || len(check.Problems) > 0
		failed = failed || len(check.Failed) > 0
		tested = append(tested, testedFile{
			File: name, OK: len(check.Problems)+len(check.Failed) == 0, Sample: check.Sample,
			Problems: orEmpty(check.Problems), Failed: orEmpty(check.Failed), Rules: orEmpty(check.Rules),
		})
	}
	if err := o.print(tested); err != nil {
		return err
	}
	switch {
	case unusable:
		return invalid{errors.New("a file of rules cannot be used")}
	case failed:
		return errors.New("tests failed: change the rule or its test")
	default:
		return nil
	}
}

// orEmpty returns list, which is printed as a list even when it is nil.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// readAtMost reads a file, and no more of it than n bytes and one.
func readAtMost(name string, n int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file and what was attempted
	}
	defer f.Close() // it was only read
	return io.ReadAll(io.LimitReader(f, n+1))
}

func (o *rulesTestOptions) print(tested []testedFile) error {
	if o.json {
		return printJSON(o.std.out, tested)
	}
	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	for i := range tested {
		t := &tested[i]
		for _, p := range append(t.Problems, t.Failed...) {
			fmt.Fprintf(w, "%s: %s\n", printable.Escape(t.File, maxLine), printable.Escape(p.String(), maxLine))
		}
		for j := range t.Rules {
			r := &t.Rules[j]
			fmt.Fprintf(w, "%s\t%s\t%d tests\t%d of %d harmless items found%s\n",
				r.ID, r.Action, r.Tests, r.SampleHits, t.Sample, someItems(r.SampleItems))
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

func someItems(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return fmt.Sprintf(", such as %s", items[0])
}
