package cli

import "github.com/spf13/cobra"

func newRulesCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List and test the rules of the scanner guard",
		Long: "The bundled scanner guard finds what its rules say. A configuration can add rules of\n" +
			"its own, and switch off or reweigh others: see docs/guard.md.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRulesListCommand(std), newRulesTestCommand(std))
	return cmd
}
