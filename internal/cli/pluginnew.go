package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/scaffold"
)

type pluginNewOptions struct {
	std     streams
	dir     string
	scanner scaffold.Scanner

	run func(context.Context, *pluginNewOptions) error
}

func newPluginNewCommand(std streams) *cobra.Command {
	o := &pluginNewOptions{std: std, run: runPluginNew}
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the beginning of a scanner in Go",
		Long: "Writes a Go module with a scanner that works, its tests and a page that says how to\n" +
			"go on. It needs no network and overwrites nothing.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.scanner.Name = args[0]
			return o.run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", "", "the `directory` to write, which must be empty (default: the name)")
	flags.StringVar(&o.scanner.Module, "module", "", "the `path` of the module (default: example.com/NAME)")
	flags.StringVar(&o.scanner.Relay, "relay", "", "a `directory` with the relay's sources to build against")
	return cmd
}

func runPluginNew(_ context.Context, o *pluginNewOptions) error {
	s := o.scanner
	if err := scaffold.CheckName(s.Name); err != nil {
		return invalid{err}
	}
	if s.Module == "" {
		s.Module = "example.com/" + s.Name
	}
	if err := scaffold.CheckModule(s.Module); err != nil {
		return invalid{err}
	}
	if v := programVersion(); strings.HasPrefix(v, "v") && !strings.ContainsAny(v, "-+") {
		s.Version = v // a release, which everybody can get
	}
	if s.Relay != "" {
		dir, err := filepath.Abs(s.Relay)
		if err != nil {
			return invalid{fmt.Errorf("find the relay's sources: %w", err)}
		}
		s.Relay, s.Version = dir, "v0.0.0"
	}
	dir := o.dir
	if dir == "" {
		dir = s.Name
	}
	names, err := s.Write(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		fmt.Fprintln(o.std.out, printable.String(filepath.Join(dir, name)))
	}
	fmt.Fprintf(o.std.err, "relay: next: cd %s && go mod tidy && go test ./...\n", printable.String(dir))
	return nil
}
