package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

func newTokenShowCommand(std streams) *cobra.Command {
	o := &tokenOptions{std: std}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print what a client's configuration has to say, with the first token",
		Long: "Print the block that goes into the configuration of a client on this machine. It\n" +
			"holds the token that is made when the relay serves HTTP for the first time, or now.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runTokenShow(o) },
	}
	o.flags(cmd)
	o.addressFlag(cmd)
	return cmd
}

func runTokenShow(o *tokenOptions) error {
	cfg, err := o.load()
	if err != nil {
		return err
	}
	to, err := o.entrance(cfg)
	if err != nil {
		return err
	}
	if to.Auth == config.AuthNone {
		return to.print(o.std.out, o.std.err, "")
	}
	s, err := openTokens(cfg, nil)
	if err != nil {
		return err
	}
	path, err := s.Ensure()
	if err != nil {
		return fmt.Errorf("making the first token: %w", err)
	}
	if path != "" {
		fmt.Fprintf(o.std.err, "there was no token yet: one named default was made and is kept in %s\n", printable.String(path))
	}
	token, err := s.Generated()
	if err != nil {
		return fmt.Errorf("showing the token: %w", err)
	}
	return to.print(o.std.out, o.std.err, token)
}
