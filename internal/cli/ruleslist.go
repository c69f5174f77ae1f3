package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/bundled"
)

// rulesListOptions are the flags of rules list.
type rulesListOptions struct {
	std  streams
	json bool
}

func newRulesListCommand(std streams) *cobra.Command {
	o := &rulesListOptions{std: std}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules that guard has",
		Long: "List the rules that guard has: with the phases in which they look, what follows from\n" +
			"a finding, and the risks of OWASP's lists that they cover.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runRulesList(o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// everyPhase is how many phases there are.
const everyPhase = 5

func runRulesList(o *rulesListOptions) error {
	rules, err := bundled.Rules()
	if err != nil {
		return fmt.Errorf("listing the rules: %w", err)
	}
	if o.json {
		return printJSON(o.std.out, rules)
	}
	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tSEVERITY\tACTION\tPHASES\tOWASP\tTITLE")
	for i := range rules {
		r := &rules[i]
		phases := strings.Join(r.Phases, ",")
		if len(r.Phases) == everyPhase {
			phases = "all"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Action, phases, strings.Join(r.OWASP, ","), r.Title)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}
