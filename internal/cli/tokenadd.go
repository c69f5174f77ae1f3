package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/principal"
)

func newTokenAddCommand(std streams) *cobra.Command {
	o := &tokenOptions{std: std}
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a token and print it, once",
		Long: "Make a token of 256 random bits for NAME and print it to standard output. It is\n" +
			"kept as a hash: it cannot be shown again. What the client's configuration has to\n" +
			"say goes to standard error.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runTokenAdd(o, args[0]) },
	}
	o.flags(cmd)
	o.addressFlag(cmd)
	return cmd
}

// placeholder stands where the token goes: it is printed once, to standard
// output, so that whoever keeps that away from a log keeps all of it away.
const placeholder = "TOKEN"

func runTokenAdd(o *tokenOptions, name string) error {
	if !principal.ValidName(name) {
		return invalid{principal.ErrName}
	}
	cfg, err := o.load()
	if err != nil {
		return err
	}
	to, err := o.entrance(cfg)
	if err != nil {
		return err
	}
	s, err := openTokens(cfg, nil)
	if err != nil {
		return err
	}
	token, err := s.Add(name)
	if errors.Is(err, principal.ErrExists) {
		return invalid{err}
	}
	if err != nil {
		return fmt.Errorf("making the token: %w", err)
	}
	fmt.Fprintf(o.std.err, "the token of %s, which is not shown again:\n", name)
	if _, err := fmt.Fprintln(o.std.out, token); err != nil {
		return fmt.Errorf("printing the token: %w; remove it with relay token remove %s", err, name)
	}
	fmt.Fprintf(o.std.err, "its client's configuration, with the token for %s:\n", placeholder)
	return to.print(o.std.err, o.std.err, placeholder)
}
