package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/control"
	"github.com/mcp-relay/relay/internal/printable"
)

type reloadOptions struct {
	std    streams
	config string
	accept bool
	json   bool
	// run is replaced in tests of the flags.
	run func(ctx context.Context, o *reloadOptions) error
}

func newReloadCommand(std streams) *cobra.Command {
	o := &reloadOptions{std: std, run: runReload}
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Show what of a changed configuration running relays have not taken over, and accept it",
		Long: "reload asks every running relay that uses the configuration file what of the file\n" +
			"it has not taken over. A relay takes a changed file over by itself when nothing in\n" +
			"it weakens what it protects and nothing in it runs or connects to anything new.\n\n" +
			"With --accept it shows the rest and asks. That has to be typed on a terminal: a\n" +
			"tool of the agent that the relay watches can write files, and start programs, but\n" +
			"should not be able to say yes. No flag gets around that; restarting the relay does.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	f.BoolVar(&o.accept, "accept", false, "have the file taken over, after a yes on the terminal")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

var (
	errNoTerminal = errors.New("--accept needs a person: standard input and standard error have to be a terminal")
	errNoRelay    = errors.New("no relay of yours that runs uses this configuration file: the next one to start reads it anyway")
	errNotTaken   = errors.New("not taken over")
	errWithJSON   = errors.New("--accept asks a person: leave --json out")
)

// reached is a running relay.
type reached struct {
	socket string
	control.Status

	Pending *control.Pending `json:"pending"`
}

// runReload shows what waits and, with --accept, asks about it.
func runReload(ctx context.Context, o *reloadOptions) error {
	switch {
	case o.accept && o.json:
		return invalid{errWithJSON}
	case o.accept && (!isTerminal(o.std.in) || !isTerminal(o.std.err)):
		return invalid{errNoTerminal}
	}
	path, err := config.Find(configOptions(o.config))
	if err != nil {
		return invalid{err}
	}
	relays := relaysOf(ctx, path)
	if len(relays) == 0 {
		return errNoRelay
	}
	for i := range relays {
		if relays[i].Pending, err = ask(ctx, relays[i].socket, control.Request{Op: control.OpPending}); err != nil {
			return err
		}
	}
	if o.json {
		return printJSON(o.std.out, relays)
	}
	if !o.accept {
		for i := range relays {
			relays[i].describe(o.std.out)
		}
		return nil
	}
	answers := bufio.NewReader(o.std.in)
	for i := range relays {
		err = errors.Join(err, relays[i].accept(ctx, o.std.err, answers))
	}
	return err
}

// relaysOf returns the running relays that use a configuration file.
func relaysOf(ctx context.Context, path string) []reached {
	var relays []reached
	for _, socket := range control.Sockets(runDir()) {
		answer, err := control.Ask(ctx, socket, control.Request{Op: control.OpStatus})
		if err != nil || answer.Status == nil || answer.Status.Config != path {
			continue // it is gone, or another's
		}
		relays = append(relays, reached{socket: socket, Status: *answer.Status})
	}
	return relays
}

// ask asks a relay about its file.
func ask(ctx context.Context, socket string, r control.Request) (*control.Pending, error) {
	answer, err := control.Ask(ctx, socket, r)
	switch {
	case err != nil:
		return nil, fmt.Errorf("asking a relay that runs: %w", err)
	case answer.Error != "":
		return nil, errors.New(answer.Error) //nolint:err113 // it is the relay's
	case answer.Pending == nil:
		return nil, errNotTaken
	default:
		return answer.Pending, nil
	}
}

// describe writes what waits, for people.
func (r *reached) describe(w io.Writer) {
	fmt.Fprintf(w, "relay %d, version %s, since %s:\n", r.PID, printable.String(r.Version), r.Since.Format("2006-01-02 15:04"))
	for _, p := range r.Pending.Problems {
		fmt.Fprintf(w, "  the file cannot be used: %s\n", lines(p))
	}
	if len(r.Pending.Problems)+len(r.Pending.Changes) == 0 {
		fmt.Fprintln(w, "  goes by the file as it is")
	}
	for _, c := range r.Pending.Changes {
		fmt.Fprintf(w, "  %-9s %s\n", printable.String(c.Effect), printable.String(c.Path))
	}
}

// accept shows a person what waits, and has the relay take exactly that over
// when the person says so.
func (r *reached) accept(ctx context.Context, talk io.Writer, answers *bufio.Reader) error {
	r.describe(talk)
	switch {
	case len(r.Pending.Problems) > 0:
		return errNotTaken
	case len(r.Pending.Changes) == 0:
		return nil
	}
	if !agrees(talk, answers, fmt.Sprintf("Take this over in relay %d?", r.PID)) {
		return errNotTaken
	}
	rest, err := ask(ctx, r.socket, control.Request{Op: control.OpReload, Digest: r.Pending.Digest})
	if err != nil {
		return err
	}
	fmt.Fprintf(talk, "relay %d goes by the file now\n", r.PID)
	for _, c := range rest.Changes {
		fmt.Fprintf(talk, "  %s needs a restart\n", printable.String(c.Path))
	}
	return nil
}
