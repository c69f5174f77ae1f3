package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

type validateOptions struct {
	std    streams
	config string
}

func newValidateCommand(std streams) *cobra.Command {
	o := &validateOptions{std: std}
	cmd := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "Check a configuration file without starting anything",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.config = args[0]
			}
			return runValidate(o)
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file")
	return cmd
}

func runValidate(o *validateOptions) error {
	cfg, err := config.Load(configOptions(o.config))
	if err != nil {
		return invalid{err}
	}
	if err := runnable(cfg); err != nil {
		return invalid{err}
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(o.std.err, "warning:", lines(w.String()))
	}
	fmt.Fprintf(o.std.out, "%s is valid\n", printable.String(cfg.Path))
	if why := cfg.Relay.ScannersImplied; why != "" {
		fmt.Fprintf(o.std.out, "scanners: %s\n", printable.Escape(why, maxLine))
	}
	if cfg.Relay.AllowSelfEdit {
		fmt.Fprintln(o.std.out, "allow_self_edit: calls may read and CHANGE THE RELAY'S OWN FILES and the configurations of MCP clients")
	}
	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "front\t%s\t%s\n", cfg.Relay.Front.Transport, frontNote(&cfg.Relay.HTTP))
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		fmt.Fprintf(w, "server\t%s\t%s\t%s\n", printable.String(s.Name), s.Type, serverNote(s))
	}
	for i := range cfg.Relay.Scanners {
		s := &cfg.Relay.Scanners[i]
		fmt.Fprintf(w, "scanner\t%s\t%s\t%s\t%s\n", printable.String(s.Name), s.Mode, phaseList(s.Phases), scannerNote(s))
	}
	fmt.Fprintf(w, "policy\t%s\n", policyNote(&cfg.Relay))
	return w.Flush()
}

// scannerNote says what a person should know of a scanner's policy.
func scannerNote(s *config.Scanner) string {
	var notes []string
	if s.Stage != nil {
		notes = append(notes, fmt.Sprintf("stage %d", *s.Stage))
	}
	switch {
	case s.OnError == config.PolicyFallback:
		notes = append(notes, "in an outage "+printable.String(s.Fallback)+" judges")
	case s.OnError == config.PolicyAllow:
		notes = append(notes, "an outage LETS PASS")
	case s.Mode == config.ModeOff:
		notes = append(notes, "only in another's place")
	}
	if s.OnContentError == config.PolicyAllow {
		notes = append(notes, "content that makes it fail PASSES")
	}
	if s.Threshold != "" {
		notes = append(notes, "flags what is below "+s.Threshold)
	}
	if n := len(s.Overrides); n > 0 {
		notes = append(notes, count(n, "override"))
	}
	return strings.Join(notes, "; ")
}

// policyNote says what holds for all scanners.
func policyNote(r *config.Relay) string {
	notes := []string{"uninspected: " + r.Uninspected, "scan_budget: " + r.ScanBudget.String()}
	if n := len(r.Exceptions); n > 0 {
		notes = append(notes, count(n, "exception"))
	}
	if len(r.AllowUnscanned) > 0 {
		notes = append(notes, "UNSCANNED MAY BE: "+phaseList(r.AllowUnscanned))
	}
	return strings.Join(notes, "; ")
}

// frontNote says where clients connect, and who may.
func frontNote(h *config.HTTP) string {
	if !h.Enabled {
		return "one client, the one that starts the relay"
	}
	note := printable.String(h.Listen) + h.Path
	switch {
	case h.Auth == config.AuthNone:
		note += "\tNO TOKEN NEEDED"
	case len(h.Tokens) > 0:
		note += fmt.Sprintf("\twith one of %d tokens in the file, or of those that relay token list shows", len(h.Tokens))
	default:
		note += "\twith one of the tokens that relay token list shows"
	}
	switch {
	case h.TLS != (config.TLS{}):
		note += "\tTLS"
	case !h.Local():
		note += "\tNOT ENCRYPTED by the relay"
	}
	return note
}

// serverNote says what a person should know of a server's configuration.
func serverNote(s *config.Server) string {
	switch {
	case s.Disabled:
		return "disabled"
	case s.Hidden:
		return "hidden_mode: NOT SCANNED"
	case s.HiddenRefused:
		return "scanned; hidden_mode refused by relay.allow_hidden"
	default:
		return "scanned"
	}
}
