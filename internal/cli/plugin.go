package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
)

func newPluginCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Install scanners and look at them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPluginInstallCommand(std), newPluginVerifyCommand(std), newPluginRemoveCommand(std),
		newPluginListCommand(std), newPluginDescribeCommand(std), newPluginCheckCommand(std), newPluginNewCommand(std))
	return cmd
}

func newPluginListCommand(std streams) *cobra.Command {
	o := &runOptions{std: std, run: runPluginList}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the bundled and installed scanners and those that the configuration names",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), o) },
	}
	o.flags(cmd)
	return cmd
}

func runPluginList(_ context.Context, o *runOptions) error {
	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tPLUGIN\tMODE\tON ERROR\tSANDBOX\tPHASES")
	for _, name := range bundled.Names() {
		fmt.Fprintf(w, "-\t%s (bundled)\t-\t-\t-\t-\n", name)
	}
	if err := listInstalled(w); err != nil {
		return err
	}
	cfg, _, err := load(o)
	if err != nil {
		if ferr := w.Flush(); ferr != nil {
			return ferr
		}
		return err
	}
	for i := range cfg.Relay.Scanners {
		s := &cfg.Relay.Scanners[i]
		which := printable.String(s.Plugin)
		if s.Installed != nil {
			which = s.Installed.ID()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable.String(s.Name), which, s.Mode, s.OnError, sandboxNote(s), phaseList(s.Phases))
	}
	return w.Flush()
}

type describeOptions struct {
	std streams
	log runOptions
}

func newPluginDescribeCommand(std streams) *cobra.Command {
	o := &describeOptions{std: std, log: runOptions{std: std}}
	cmd := &cobra.Command{
		Use:   "describe NAME|PATH",
		Short: "Start a scanner, ask what it is and stop it",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return runPluginDescribe(cmd.Context(), o, args[0]) },
	}
	return cmd
}

// describeTimeout bounds the start and the one question.
const describeTimeout = 15 * time.Second

func runPluginDescribe(ctx context.Context, o *describeOptions, which string) error {
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	log, err := newLogger(o.std.err, "warn")
	if err != nil {
		return err
	}
	spec := plugin.Spec{Name: "described", RunDir: runDir(), Env: process.Environment(process.DefaultAllow(), nil, false)}
	if _, ok := bundled.New(which); ok {
		spec.Bundled = which
		spec.Needs, spec.Limits = bundledNeeds(which, nil), bundledLimits
	} else if known, ierr := findNamed(which); ierr == nil {
		spec.Path, spec.SHA256 = known.Program, known.SHA256
		useInstalled(&spec, &known)
	} else if spec.Path, err = filepath.Abs(which); err != nil {
		return invalid{fmt.Errorf("finding the scanner: %w", err)}
	}
	warden, err := startWarden()
	if err != nil {
		return err
	}
	defer func() { _ = warden.Close() }()
	info, err := plugin.Describe(ctx, spec, warden, log)
	if err != nil {
		return fmt.Errorf("describing the scanner: %w", err)
	}
	return printInfo(o.std.out, &info)
}

// printInfo prints what a scanner says of itself. All of it is foreign text.
func printInfo(out io.Writer, info *plugin.Info) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "name\t%s\n", printable.String(info.Name))
	fmt.Fprintf(w, "version\t%s\n", printable.String(info.Version))
	fmt.Fprintf(w, "sdk\t%s\n", printable.String(info.SDK))
	fmt.Fprintf(w, "phases\t%s\n", orAll(phaseList(info.Phases)))
	fmt.Fprintf(w, "deterministic\t%t\n", info.Deterministic)
	fmt.Fprintf(w, "needs network\t%t\n", info.NeedsNetwork)
	fmt.Fprintf(w, "self-contained\t%t\n", info.SelfContained)
	fmt.Fprintf(w, "sandbox\t%s\n", info.Sandbox)
	fmt.Fprintf(w, "configuration\t%t\n", info.Configurable)
	if info.MaxConcurrent > 0 {
		fmt.Fprintf(w, "concurrent scans\t%d\n", info.MaxConcurrent)
	}
	if err := w.Flush(); err != nil || info.ConfigSchema == nil {
		return err
	}
	var schema bytes.Buffer
	if err := json.Indent(&schema, info.ConfigSchema, "  ", "  "); err != nil {
		return fmt.Errorf("the schema of its configuration: %w", err)
	}
	_, err := fmt.Fprintf(out, "configuration schema\n  %s\n", lines(schema.String()))
	return err
}

func orAll(list string) string {
	if list == "" {
		return "all"
	}
	return list
}
