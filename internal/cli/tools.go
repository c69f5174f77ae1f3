package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/registry"
)

func newToolsCommand(std streams) *cobra.Command {
	o := &runOptions{std: std, run: runTools}
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "Show what is offered, held or blocked, and why",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), o) },
	}
	o.flags(cmd)
	cmd.AddCommand(newToolsDiffCommand(std), newToolsApproveCommand(std))
	return cmd
}

// runTools starts the relay without a client, waits for the servers and prints
// what a client would see, and what it would not.
func runTools(ctx context.Context, o *runOptions) error {
	cfg, log, err := load(o)
	if err != nil {
		return err
	}
	a, err := assemble(ctx, cfg, log, o.std.err)
	if err != nil {
		return err
	}
	defer a.close()
	a.remember(cfg)
	core := a.core(false)
	defer core.Close()
	core.Start(ctx)
	if err := a.ready(ctx); err != nil {
		return err
	}
	core.Settle(ctx)

	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tKIND\tNAME\tSERVER\tAS THE SERVER CALLS IT\tREASON")
	for _, k := range registry.Kinds {
		for _, e := range core.Registry().Entries(k) {
			public := "-"
			if e.Public != "" {
				public = printable.String(e.Public)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.State, k, public,
				printable.String(e.Server), printable.String(e.Name), reason(&e))
		}
		for _, pair := range core.Registry().Lookalikes(k) {
			fmt.Fprintf(o.std.err, "warning: %s and %s look alike and belong to different servers\n",
				printable.String(pair[0]), printable.String(pair[1]))
		}
	}
	for _, c := range core.Registry().Clashes() {
		fmt.Fprintf(o.std.err, "warning: %s %s of server %s belongs to server %s, which is configured first\n",
			c.Kind, printable.String(c.Name), printable.String(c.Server), printable.String(c.Owner))
	}
	for _, s := range core.Status() {
		if !s.Ready {
			fmt.Fprintf(w, "%s\tserver\t-\t%s\t-\t%s\n", registry.Failed, printable.String(s.Server), printable.Escape(s.Error, maxLine))
		}
	}
	return w.Flush()
}

func reason(e *registry.Entry) string {
	switch {
	case e.Reason == "":
		return "-"
	case e.ScanID == "" || e.State == registry.Offered:
		return e.Reason
	default:
		return e.Reason + " (scan id " + e.ScanID + ")"
	}
}
