package cli

import (
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/principal"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/statefile"
)

// tokenOptions are the flags of the commands below token.
type tokenOptions struct {
	std    streams
	config string
	listen string
}

func (o *tokenOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
}

func (o *tokenOptions) addressFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.listen, "listen", "", "what relay run is given with --listen, when the file does not say")
}

func newTokenCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Manage the tokens of clients that connect over HTTP",
		Long: "A client that connects over HTTP proves with a token who it is. Every token has a\n" +
			"name, which limits, isolation and the audit record go by.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTokenAddCommand(std), newTokenListCommand(std), newTokenRemoveCommand(std), newTokenShowCommand(std))
	return cmd
}

// openTokens opens the tokens: those that a configuration gives, which may be
// nil, and those that are stored beside the default audit record.
func openTokens(cfg *config.Config, log *slog.Logger) (*principal.Store, error) {
	o := principal.Options{Log: log}
	// Without a state directory there are no stored tokens; the store says so
	// to whoever wants to add one.
	o.Dir, _ = statefile.Home()
	if cfg != nil {
		o.Given = cfg.Relay.HTTP.Tokens
	}
	s, err := principal.Open(o)
	if err != nil {
		return nil, invalid{err}
	}
	return s, nil
}

// load returns the configuration, or nil when none was named and none can be
// read: tokens can be managed without one.
func (o *tokenOptions) load() (*config.Config, error) {
	cfg, err := config.Load(configOptions(o.config))
	if err != nil {
		if o.config != "" {
			return nil, invalid{err}
		}
		fmt.Fprintln(o.std.err, "warning: no configuration can be read, and what one would say is left out; relay validate says why")
		cfg = nil
	}
	return cfg, nil
}

func newTokenListCommand(std streams) *cobra.Command {
	o := &tokenOptions{std: std}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the names that have a token",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return runTokenList(o) },
	}
	o.flags(cmd)
	return cmd
}

func runTokenList(o *tokenOptions) error {
	cfg, err := o.load()
	if err != nil {
		return err
	}
	s, err := openTokens(cfg, nil)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tMADE\tKEPT IN")
	for _, e := range s.List() {
		if e.Given {
			fmt.Fprintf(w, "%s\t-\tthe configuration\n", printable.String(e.Name))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\tthe state directory\n", printable.String(e.Name), e.Created.Format(time.RFC3339))
	}
	return w.Flush()
}

func newTokenRemoveCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Take a token away; a running relay refuses it within a second",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := openTokens(nil, nil)
			if err != nil {
				return err
			}
			if err := s.Remove(args[0]); err != nil {
				return fmt.Errorf("removing the token: %w", err)
			}
			fmt.Fprintf(std.err, "the token of %s is no longer accepted\n", printable.String(args[0]))
			return nil
		},
	}
}
