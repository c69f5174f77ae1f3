package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/definitions"
	"github.com/mcp-relay/relay/internal/printable"
)

// driftOptions are the flags of tools diff and tools approve.
type driftOptions struct {
	std    streams
	config string
	json   bool
	all    bool
	yes    bool
}

func newToolsDiffCommand(std streams) *cobra.Command {
	o := &driftOptions{std: std}
	cmd := &cobra.Command{
		Use:   "diff [SERVER[/NAME]]...",
		Short: "Show what servers offer that is not what was approved",
		Long: "Show every tool, prompt, resource and instruction that is not what was approved,\n" +
			"with the difference. NAME is what the server calls it, or instructions.",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return runToolsDiff(o, args) },
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, with both forms of each definition")
	return cmd
}

func runToolsDiff(o *driftOptions, args []string) error {
	d, err := o.open()
	if err != nil {
		return err
	}
	defer d.store.Close()
	list, err := d.pending(args)
	if err != nil {
		return err
	}
	if o.json {
		return d.printJSON(o.std.out, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(o.std.err, "everything is as it was approved")
	}
	return d.print(o.std.out, list)
}

// drift is what is remembered of the servers of a configuration.
type drift struct {
	store  *definitions.Store
	config *config.Config
	policy definitions.Policy
}

func (o *driftOptions) open() (*drift, error) {
	cfg, err := config.Load(configOptions(o.config))
	if err != nil {
		return nil, invalid{err}
	}
	store, err := openDefinitions(cfg)
	if err != nil {
		return nil, err
	}
	return &drift{store, cfg, driftPolicy(&cfg.Relay.Definitions)}, nil
}

// pending returns what is not approved of what the arguments name; none: of
// everything.
func (d *drift) pending(args []string) ([]definitions.Pending, error) {
	named := map[string][]string{} // server -> names; empty: all
	for _, arg := range args {
		server, name, one := strings.Cut(arg, "/")
		if !slices.ContainsFunc(d.config.Servers, func(s config.Server) bool { return s.Name == server }) {
			return nil, invalid{fmt.Errorf("the configuration has no server %s", printable.String(server))}
		}
		if known, before := named[server]; one && (!before || len(known) > 0) {
			named[server] = append(known, name)
		} else if !one {
			named[server] = nil
		}
	}
	var all []definitions.Pending
	for i := range d.config.Servers {
		server := d.config.Servers[i].Name
		names, wanted := named[server]
		if len(args) > 0 && !wanted {
			continue
		}
		list, err := d.store.Pending(server)
		if err != nil {
			return nil, fmt.Errorf("reading what is remembered of server %s: %w", printable.String(server), err)
		}
		for _, p := range list {
			name := p.Name
			if p.Kind == definitions.Instructions {
				name = string(p.Kind)
			}
			if len(names) == 0 || slices.Contains(names, name) {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// action returns what the configuration says becomes of a change.
func (d *drift) action(p *definitions.Pending) definitions.Action {
	return d.policy.Action(p.New.Classes, p.New.Running)
}

// print shows each definition: what it is, what became of it and the
// difference.
func (d *drift) print(w io.Writer, list []definitions.Pending) error {
	var b strings.Builder
	for i := range list {
		p := &list[i]
		state := "offered, and not approved"
		if p.Held {
			state = "held"
		}
		fmt.Fprintf(&b, "%s: %s\n", title(p), state)
		fmt.Fprintf(&b, "  change:  %s\n", strings.Join(p.New.Classes.Names(), ", "))
		fmt.Fprintf(&b, "  policy:  %s\n", d.action(p))
		fmt.Fprintf(&b, "  since:   %s", p.New.Since.Format(time.RFC3339))
		if p.New.Running {
			b.WriteString(", while a relay was running")
		}
		b.WriteByte('\n')
		if p.New.Was != "" {
			fmt.Fprintf(&b, "  before:  %s\n", printable.String(p.New.Was))
		}
		if p.New.ScanID != "" {
			fmt.Fprintf(&b, "  scanned: passed (scan id %s)\n", printable.String(p.New.ScanID))
		}
		fmt.Fprintf(&b, "%s\n", p.Diff())
	}
	_, err := io.WriteString(w, b.String())
	return err //nolint:wrapcheck // standard output
}

// title returns how people call a definition.
func title(p *definitions.Pending) string {
	text := string(p.Kind)
	if p.Name != "" {
		text += " " + printable.String(p.Name)
	}
	return text + " of server " + printable.String(p.Server)
}

// driftEntry is one definition as --json prints it.
type driftEntry struct {
	Server    string          `json:"server"`
	Kind      string          `json:"kind"`
	Name      string          `json:"name"`
	State     string          `json:"state"` // held or flagged
	Classes   []string        `json:"classes"`
	Policy    string          `json:"policy"`
	Since     time.Time       `json:"since"`
	Running   bool            `json:"while_running"`
	Was       string          `json:"was,omitempty"`
	ScanID    string          `json:"scan_id,omitempty"`
	OldSHA256 string          `json:"old_sha256,omitempty"`
	NewSHA256 string          `json:"new_sha256"`
	Old       json.RawMessage `json:"old,omitempty"`
	New       json.RawMessage `json:"new,omitempty"`
}

func (d *drift) printJSON(w io.Writer, list []definitions.Pending) error {
	entries := make([]driftEntry, 0, len(list))
	for i := range list {
		p := &list[i]
		e := driftEntry{
			Server: p.Server, Kind: string(p.Kind), Name: p.Name, State: "flagged", Classes: p.New.Classes.Names(),
			Policy: d.action(p).String(), Since: p.New.Since, Running: p.New.Running, Was: p.New.Was, ScanID: p.New.ScanID,
			NewSHA256: p.New.Hash, New: json.RawMessage(p.New.Text),
		}
		if p.Held {
			e.State = "held"
		}
		if p.Old != nil {
			e.OldSHA256, e.Old = p.Old.Hash, json.RawMessage(p.Old.Text)
		}
		entries = append(entries, e)
	}
	err := printJSON(w, entries)
	if _, damaged := errors.AsType[*json.MarshalerError](err); damaged {
		return errors.New("what is remembered cannot be printed as JSON: leave --json out")
	}
	return err
}
