package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/definitions"
)

func newToolsApproveCommand(std streams) *cobra.Command {
	o := &driftOptions{std: std}
	cmd := &cobra.Command{
		Use:   "approve SERVER[/NAME]... | --all",
		Short: "Agree to what servers offer now; a running relay offers it within seconds",
		Long: "Show what is not what was approved, ask, and make it the approved form. What\n" +
			"changes between the question and the answer is not approved. NAME is what the\n" +
			"server calls it, or instructions.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runToolsApprove(cmd.Context(), o, args) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	f.BoolVar(&o.all, "all", false, "approve everything of every server")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func runToolsApprove(ctx context.Context, o *driftOptions, args []string) error {
	if o.all == (len(args) > 0) {
		return invalid{errors.New("name servers or definitions, as SERVER or SERVER/NAME, or say --all")}
	}
	if !o.yes && !isTerminal(o.std.in) {
		return invalid{errors.New("nobody can be asked here: run it in a terminal, or say --yes when you have seen relay tools diff")}
	}
	d, err := o.open()
	if err != nil {
		return err
	}
	defer d.store.Close()
	list, err := d.pending(args)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(o.std.err, "there is nothing to approve")
		return nil
	}
	if err := d.print(o.std.out, list); err != nil {
		return err
	}
	if !o.yes && !agrees(o.std.err, bufio.NewReader(o.std.in), "approve "+count(len(list), "definition")+"?") {
		return errors.New("nothing was approved")
	}
	if err := d.store.Approve(ctx, list); err != nil {
		if errors.Is(err, definitions.ErrChanged) {
			return fmt.Errorf("nothing was approved: %w", err)
		}
		return err //nolint:wrapcheck // it says what was attempted
	}
	fmt.Fprintf(o.std.err, "approved %s; a relay that runs offers it within seconds\n", count(len(list), "definition"))
	return nil
}

// count returns a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
