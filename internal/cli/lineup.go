package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/eval"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/scan"
)

// lineupOptions say which scanners judge a corpus or a file.
type lineupOptions struct {
	std      streams
	config   string
	scanners []string
	json     bool
	verbose  bool
}

func (o *lineupOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	f.StringSliceVar(&o.scanners, "scanner", nil, "only this scanner of the configuration; may be repeated")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show what the scanners log")
}

// lineup is the scanners of a configuration, each by itself, with no server and
// no client.
type lineup struct {
	*eval.Lineup

	cfg  *config.Config
	team *assembly
}

// open starts the configured scanners, or the bundled ones when there is no
// configuration, and waits for them. Nothing of what they say is kept.
func (o *lineupOptions) open(ctx context.Context) (*lineup, error) {
	cfg, err := o.load()
	if err != nil {
		return nil, invalid{err}
	}
	if err := o.choose(cfg); err != nil {
		return nil, invalid{err}
	}
	if err := runnable(cfg); err != nil {
		return nil, invalid{err}
	}
	level := "error"
	if o.verbose {
		level = "debug"
	}
	log, err := newLogger(o.std.err, level)
	if err != nil {
		return nil, err
	}
	a := &assembly{team: &team{}, log: log, audit: audit.Discard()}
	l := &lineup{cfg: cfg, team: a}
	if a.warden, err = startWarden(); err != nil {
		return nil, err
	}
	var members []scan.Member
	a.team, members, err = a.startScanners(context.WithoutCancel(ctx), cfg, a.team)
	if err == nil {
		err = a.allReady(ctx)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	// What a scanner said it may say again: it is measured, not remembered.
	l.Lineup = eval.NewLineup(entrants(cfg, members), slog.New(slog.DiscardHandler))
	return l, nil
}

func (l *lineup) close() {
	if l.Lineup != nil {
		l.Close()
	}
	l.team.close()
}

// load reads the configuration. Without one the bundled scanners judge.
func (o *lineupOptions) load() (*config.Config, error) {
	options := configOptions(o.config)
	if o.config == "" && os.Getenv(config.EnvConfigFile) == "" && !slices.ContainsFunc(config.SearchPaths(options), isThere) {
		return bundledOnly(options)
	}
	return config.Load(options) //nolint:wrapcheck // it says what is wrong where
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// noServer is a configuration without a server that could be asked.
const noServer = `{"mcpServers": {"nobody": {"command": "relay", "disabled": true}}}`

// bundledOnly returns what the relay does when nothing is configured.
func bundledOnly(options config.Options) (*config.Config, error) {
	dir, err := os.MkdirTemp("", "relay-scan-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the configuration: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	options.Path = filepath.Join(dir, "relay.json")
	if err := os.WriteFile(options.Path, []byte(noServer), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return config.Load(options) //nolint:wrapcheck // it is ours
}

// choose leaves only the scanners that are asked for.
func (o *lineupOptions) choose(cfg *config.Config) error {
	if len(o.scanners) == 0 {
		return nil
	}
	var names []string
	for i := range cfg.Relay.Scanners {
		names = append(names, cfg.Relay.Scanners[i].Name)
	}
	for _, name := range o.scanners {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--scanner %s: no such scanner is configured; there are %s",
				printable.String(name), printable.Escape(strings.Join(names, ", "), maxLine))
		}
	}
	cfg.Relay.Scanners = slices.DeleteFunc(slices.Clone(cfg.Relay.Scanners), func(c config.Scanner) bool {
		return !slices.Contains(o.scanners, c.Name)
	})
	return nil
}

// lineupWait is how long scanners may take to be there.
const lineupWait = 30 * time.Second

// allReady waits until every scanner can be asked.
func (a *assembly) allReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lineupWait)
	defer cancel()
	t := a.current()
	for i, s := range t.scanners {
		if err := s.Ready(ctx); err != nil {
			if s.State() == plugin.Failed {
				return invalid{err}
			}
			return fmt.Errorf("scanner %s is not ready: %w", printable.String(t.configured[i].Name), err)
		}
	}
	return nil
}

// entrants returns each scanner with a panel of its own, and the relay with its
// rules.
func entrants(cfg *config.Config, members []scan.Member) []eval.Entrant {
	out := []eval.Entrant{{Name: eval.Own, Panel: panel(cfg, nil)}}
	for i := range members {
		p := panel(cfg, members[i:i+1:i+1])
		p.Rules = nil
		out = append(out, eval.Entrant{Name: members[i].Name, Panel: p})
	}
	return out
}
