package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/pluginstore"
)

func newPluginRemoveCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME[@VERSION]",
		Short: "Remove an installed scanner, all versions of it or one",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openStore()
			if err != nil {
				return err
			}
			name, version, _ := strings.Cut(args[0], "@")
			gone, err := s.Remove(cmd.Context(), name, version)
			if errors.Is(err, pluginstore.ErrNotInstalled) {
				return invalid{fmt.Errorf("%w: relay plugin list shows what is", err)}
			}
			if err != nil {
				return fmt.Errorf("removing the scanner: %w", err)
			}
			for i := range gone {
				fmt.Fprintf(std.err, "removed %s\n", gone[i].ID())
			}
			return nil
		},
	}
}
