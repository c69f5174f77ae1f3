package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/telemetry"
)

// configOptions returns where a configuration is looked for.
func configOptions(path string) config.Options {
	opts := config.Options{Path: path, OwnServers: []string{serverCommand}, Installed: installed}
	// What cannot be found out is left empty: the loader then looks in fewer
	// places and says so when it finds nothing.
	opts.Home, _ = os.UserHomeDir()
	opts.WorkDir, _ = os.Getwd()
	opts.Executable, _ = os.Executable()
	return opts
}

func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	log, err := telemetry.NewLogger(w, telemetry.Text, level)
	if err != nil {
		return nil, fmt.Errorf("the flags of the log: %w", err)
	}
	return log, nil
}
