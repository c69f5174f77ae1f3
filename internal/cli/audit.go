package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
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

// printJSON prints one value over several lines, in ASCII: what others wrote may
// be in it, and a terminal may be at the other end.
func printJSON(out io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = out.Write(append(inASCII(text), '\n'))
	}
	if err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// inASCII escapes what is not ASCII, and DEL, in JSON.
func inASCII(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r)) //nolint:gosec // it is ASCII
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
