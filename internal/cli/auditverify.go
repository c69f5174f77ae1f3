package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/printable"
)

// verifyOptions are the flags of audit verify.
type verifyOptions struct {
	recordOptions

	state string
	files []string
	// run is replaced in tests of the flags.
	run func(o *verifyOptions) error
}

func newAuditVerifyCommand(std streams) *cobra.Command {
	o := &verifyOptions{recordOptions: recordOptions{std: std}, run: runAuditVerify}
	cmd := &cobra.Command{
		Use:   "verify [FILE...]",
		Short: "Check that nothing in the audit record was changed, removed, inserted or moved",
		Long: "Check the chain of every relay process in the audit record and in what it was rotated\n" +
			"to. Exit code 0: nothing was changed, removed, inserted or moved; 1: something was.\n" +
			"FILE is the current file of a record; its backups are found beside it.",
		RunE: func(_ *cobra.Command, args []string) error {
			o.files = args
			return o.run(o)
		},
		Args: cobra.ArbitraryArgs,
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.state, "state", "", "directory with the key of the record (default: the relay's state directory)")
	return cmd
}

var errNotIntact = errors.New("the audit record is not what was written; see docs/audit.md for what that can mean")

func runAuditVerify(o *verifyOptions) error {
	files := o.files
	if len(files) == 0 {
		cfg, err := o.load()
		if err != nil {
			return err
		}
		path, err := o.path(cfg)
		if err != nil {
			return err
		}
		files = []string{path}
	}
	for i := range files {
		path, err := audit.PathOf(files[i])
		if err != nil {
			return invalid{err}
		}
		files[i] = path
	}
	r, err := audit.Verify(o.state, files...)
	if err != nil {
		return fmt.Errorf("the audit record cannot be checked: %w", err)
	}
	if o.json {
		err = printJSON(o.std.out, r)
	} else {
		err = printVerified(o.std.out, r)
	}
	if err == nil && !r.Intact {
		err = errNotIntact
	}
	return err
}

func printVerified(out io.Writer, r *audit.Report) error {
	for _, name := range r.Files {
		fmt.Fprintf(out, "read %s\n", printable.String(name))
	}
	fmt.Fprintf(out, "%d records of %d relay processes\n\n", r.Records, len(r.Chains))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHAIN\tBEGAN\tRECORDS\tNUMBERS\tEND\tLOST")
	for i := range r.Chains {
		c := &r.Chains[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%d-%d\t%s\t%d\n", printable.String(c.ID), c.Begin.UTC().Format(time.RFC3339),
			c.Records, c.First, c.Last, ending(c), c.Lost)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	if r.Torn > 0 {
		fmt.Fprintf(out, "\n%d torn lines: a relay was killed, or the disk was full, while it wrote.\n"+
			"They are no sign of tampering.\n", r.Torn)
	}
	if r.Intact {
		fmt.Fprintln(out, "\nintact: nothing was changed, removed, inserted or moved")
		return nil
	}
	fmt.Fprintf(out, "\nNOT INTACT: %d problems\n", len(r.Problems)+r.Omitted)
	for i := range r.Problems {
		fmt.Fprintln(out, "  "+problemText(&r.Problems[i]))
	}
	if r.Omitted > 0 {
		fmt.Fprintf(out, "  and %d more\n", r.Omitted)
	}
	return nil
}

// ending says how a chain ends.
func ending(c *audit.Chain) string {
	switch {
	case c.Closed:
		return "ended"
	case c.Noted != nil:
		return fmt.Sprintf("runs or was killed, noted at %d", *c.Noted)
	default:
		return "none"
	}
}

func problemText(p *audit.Problem) string {
	text := p.Kind + ": "
	if p.File != "" {
		text += printable.String(p.File)
		if p.Line > 0 {
			text += fmt.Sprintf(" line %d", p.Line)
		}
		text += ": "
	}
	if p.Chain != "" {
		text += fmt.Sprintf("chain %s number %d: ", printable.String(p.Chain), p.Seq)
	}
	return text + p.Detail
}
