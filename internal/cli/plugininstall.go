package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/pluginstore"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
)

// installOptions are the flags of plugin install.
type installOptions struct {
	std           streams
	source        string
	name, version string
	entry, sum    string
	yes, force    bool
	run           func(ctx context.Context, o *installOptions) error
}

func newPluginInstallCommand(std streams) *cobra.Command {
	o := &installOptions{std: std, run: runPluginInstall}
	cmd := &cobra.Command{
		Use:   "install FILE|DIR",
		Short: "Copy a scanner into a directory of the relay's and remember its checksum",
		Long: "Copy a scanner, a program or a directory with one, and remember the checksums of all\n" +
			"of its files. They are checked at every start. Nothing is run before its checksum\n" +
			"was shown and accepted: at the terminal, with --yes, or with --sha256, which takes\n" +
			"the checksum that its author publishes.\n\n" +
			"A configuration names it as NAME, or NAME@VERSION.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.source = args[0]
			return o.run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "name to install it under (default: what it calls itself)")
	f.StringVar(&o.version, "version", "", "version to install it as (default: what it says)")
	f.StringVar(&o.entry, "entry", "", "the program in a directory (default: the one executable file at its top)")
	f.StringVar(&o.sum, "sha256", "", "accept it if this is its checksum")
	f.BoolVar(&o.yes, "yes", false, "accept whatever its checksum is")
	f.BoolVar(&o.force, "force", false, "replace another program of the same name and version")
	return cmd
}

func runPluginInstall(ctx context.Context, o *installOptions) error {
	s, err := openStore()
	if err != nil {
		return err
	}
	if err := o.check(s); err != nil {
		return invalid{err}
	}
	staged, err := s.Stage(ctx, o.source, o.entry)
	if err != nil {
		if _, bad := errors.AsType[*pluginstore.FileError](err); bad {
			return invalid{fmt.Errorf("it cannot be installed: %w", err)}
		}
		return fmt.Errorf("installing the scanner: %w", err)
	}
	defer staged.Discard()
	if err := o.accept(staged); err != nil {
		return err
	}
	if err := o.ask(ctx, staged); err != nil {
		return err
	}
	p, err := staged.Commit(ctx, o.force)
	switch {
	case errors.Is(err, pluginstore.ErrName), errors.Is(err, pluginstore.ErrVersion),
		errors.Is(err, pluginstore.ErrReserved), errors.Is(err, pluginstore.ErrExists):
		return invalid{err}
	case err != nil:
		return fmt.Errorf("installing the scanner: %w", err)
	}
	fmt.Fprintf(o.std.err, "installed %s; a configuration names it as plugin: %s, or %s for this version alone\n", p.ID(), p.Name, p.ID())
	if p.Script {
		fmt.Fprintln(o.std.err, scriptNote)
	}
	_, err = fmt.Fprintln(o.std.out, p.ID())
	return err //nolint:wrapcheck // of standard output
}

// scriptNote says what checksums of a script are worth.
const scriptNote = "note: it is a script: the checksums cover the installed files, not its interpreter or what that loads from elsewhere"

// check refuses before anything is copied what could not be installed.
func (o *installOptions) check(s *pluginstore.Store) error {
	name, version := o.name, o.version
	if name == "" {
		name = "unknown"
	}
	if version == "" {
		version = "unknown"
	}
	if err := s.CheckName(name, version); err != nil {
		return err //nolint:wrapcheck // it says what to do
	}
	o.sum = strings.ToLower(strings.TrimSpace(o.sum))
	return nil
}

// accept has the checksum accepted, before anything of it is run.
func (o *installOptions) accept(st *pluginstore.Staged) error {
	sum := st.Checksum()
	fmt.Fprintf(o.std.err, "%s\n", printable.String(o.source))
	if len(st.Files) > 0 {
		fmt.Fprintf(o.std.err, "  program  %s\n  files    %d\n", printable.String(st.Entry), 1+len(st.Files))
	}
	fmt.Fprintf(o.std.err, "  sha256   %s\n", sum)
	switch {
	case o.sum != "" && o.sum != sum:
		return invalid{errors.New("this is not the checksum that --sha256 gives: do not use this copy, get it again from its author")}
	case o.sum != "" || o.yes:
		return nil
	case !isTerminal(o.std.in):
		return invalid{errors.New("nobody is there to accept the checksum: compare it with the author's and give it with --sha256")}
	}
	if !agrees(o.std.err, bufio.NewReader(o.std.in), "Does its author publish this checksum? Install it?") {
		return invalid{errors.New("not accepted: nothing was installed and nothing was run")}
	}
	return nil
}

// ask starts the accepted copy, confined where the system can do that, to learn
// what it is called and what it needs. A scanner that does not start is installed
// too when its name and version were given.
func (o *installOptions) ask(ctx context.Context, st *pluginstore.Staged) error {
	st.Name, st.Version = o.name, o.version
	info, err := o.describe(ctx, st)
	if err != nil {
		if o.name == "" || o.version == "" {
			return fmt.Errorf("it does not say what it is: %w; give --name and --version", err)
		}
		fmt.Fprintln(o.std.err, "warning: it does not say what it is:", lines(err.Error()))
		return nil
	}
	if st.Name == "" {
		st.Name = info.Name
	}
	if st.Version == "" {
		st.Version = info.Version
	}
	st.SelfContained, st.NeedsNetwork = info.SelfContained, info.NeedsNetwork
	return nil
}

func (o *installOptions) describe(ctx context.Context, st *pluginstore.Staged) (plugin.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	log, err := newLogger(o.std.err, "warn")
	if err != nil {
		return plugin.Info{}, err
	}
	program, err := filepath.EvalSymlinks(st.Program())
	if err != nil {
		return plugin.Info{}, fmt.Errorf("finding the copy: %w", err)
	}
	warden, err := startWarden()
	if err != nil {
		return plugin.Info{}, err
	}
	defer func() { _ = warden.Close() }()
	spec := plugin.Spec{
		Name: "installed", Path: program, SHA256: st.SHA256, Own: st.Tree(), Needs: &plugin.Needs{}, RunDir: runDir(),
		Env: process.Environment(process.DefaultAllow(), nil, false),
	}
	info, err := plugin.Describe(ctx, spec, warden, log)
	if err != nil {
		return plugin.Info{}, err //nolint:wrapcheck // the caller says what was asked
	}
	return info, nil
}
