package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// recordOptions say which audit record a command reads.
type recordOptions struct {
	std    streams
	config string
	file   string
	json   bool
}

func (o *recordOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file that says where the record is (default: see docs/configuration.md)")
	f.BoolVar(&o.json, "json", false, "print JSON")
}

// load returns the configuration, or nil when none was named and none can be
// read.
func (o *recordOptions) load() (*config.Config, error) {
	cfg, err := config.Load(configOptions(o.config))
	if err == nil {
		return cfg, nil
	}
	if o.config != "" {
		return nil, invalid{err}
	}
	return nil, nil //nolint:nilnil // the record is where it is without one
}

// path returns where the record is: what was said, else what the configuration
// says, else the default place.
func (o *recordOptions) path(cfg *config.Config) (string, error) {
	file := o.file
	if file == "" && cfg != nil {
		file = cfg.Relay.Audit.Path
	}
	if file == audit.Stderr {
		return "", invalid{errors.New("the audit record goes to standard error: give the file that keeps it")}
	}
	path, err := audit.PathOf(file)
	if err != nil {
		return "", invalid{err}
	}
	return path, nil
}

// open opens the record. The configuration is nil as load returns it.
func (o *recordOptions) open() (*config.Config, *audit.Reader, error) {
	cfg, err := o.load()
	if err != nil {
		return nil, nil, err
	}
	path, err := o.path(cfg)
	if err != nil {
		return nil, nil, err
	}
	r, err := audit.OpenReader(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no audit record at %s: name the configuration with --config, or the file with --audit",
			printable.String(path))
	}
	return cfg, r, err //nolint:wrapcheck // it says what was attempted
}

func newAuditCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Look after the audit record",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditVerifyCommand(std))
	return cmd
}
