package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/pluginstore"
	"github.com/mcp-relay/relay/internal/sandbox"
	"github.com/mcp-relay/relay/internal/statefile"
)

// openStore returns the store of installed scanners.
func openStore() (*pluginstore.Store, error) {
	dir, err := statefile.DataHome()
	if err != nil {
		return nil, fmt.Errorf("opening the store of scanners: %w", err)
	}
	return &pluginstore.Store{Dir: dir, Reserved: bundled.Names(), Guard: plugin.CheckProgram}, nil
}

// installed lists the installed scanners in the configuration's terms.
func installed() ([]config.Installed, error) {
	s, err := openStore()
	if err != nil {
		return nil, err
	}
	all, err := s.List()
	if err != nil {
		return nil, fmt.Errorf("reading what is installed: %w", err)
	}
	list := make([]config.Installed, len(all))
	for i := range all {
		p := &all[i]
		list[i] = config.Installed{Name: p.Name, Version: p.Version, Program: s.Program(p), SHA256: p.SHA256, Checksum: p.Checksum()}
	}
	return list, nil
}

// useInstalled completes the spec of an installed scanner: its files are
// verified before every start, and what it said of its needs at its installation
// holds from the first instruction on.
func useInstalled(spec *plugin.Spec, c *config.Installed) {
	spec.Verify = func() error {
		s, p, err := findInstalled(c.Name, c.Version)
		if err != nil {
			return err
		}
		if p.Checksum() != c.Checksum {
			return errReinstalled
		}
		return s.Check(&p)
	}
	s, p, err := findInstalled(c.Name, c.Version)
	if err != nil {
		return // Verify reports it
	}
	spec.Own = s.Tree(&p)
	if p.SelfContained {
		spec.Needs = &plugin.Needs{}
	}
}

// errReinstalled: the lock file is a file like others. A yes is to what it said
// when the configuration was read.
var errReinstalled = errors.New("its files were installed anew since the configuration was read: " +
	"relay reload --accept takes them over, or a restart")

// findInstalled returns an installed scanner; without a version the last one.
func findInstalled(name, version string) (*pluginstore.Store, pluginstore.Plugin, error) {
	s, err := openStore()
	if err != nil {
		return nil, pluginstore.Plugin{}, err
	}
	p, err := s.Find(name, version)
	if errors.Is(err, pluginstore.ErrNotInstalled) {
		err = fmt.Errorf("%w: install it with relay plugin install", err)
	}
	return s, p, err
}

// findNamed returns the installed scanner that NAME or NAME@VERSION means.
func findNamed(which string) (config.Installed, error) {
	name, version, _ := strings.Cut(which, "@")
	s, p, err := findInstalled(name, version)
	if err != nil {
		return config.Installed{}, err
	}
	return config.Installed{Name: p.Name, Version: p.Version, Program: s.Program(&p), SHA256: p.SHA256, Checksum: p.Checksum()}, nil
}

// shortSum is how much of a checksum is shown where there is little room.
const shortSum = 12

// listInstalled writes a line for each installed scanner.
func listInstalled(w io.Writer) error {
	s, err := openStore()
	if err != nil {
		return nil //nolint:nilerr // without a home there is nothing installed
	}
	all, err := s.List()
	if err != nil {
		return invalid{err}
	}
	for i := range all {
		p := &all[i]
		state := "ok"
		if len(s.Verify(p)) > 0 {
			state = "NOT OK: see relay plugin verify"
		}
		fmt.Fprintf(w, "-\t%s (installed, %s, %s)\t-\t-\t-\t-\n", p.ID(), p.Checksum()[:shortSum], state)
	}
	return nil
}

// sandboxNote says in a word when a scanner is confined.
func sandboxNote(c *config.Scanner) string {
	switch {
	case c.Sandbox == config.SandboxNever:
		return "never"
	case !sandbox.Available():
		return "not on this system"
	case c.Sandbox == config.SandboxAlways || c.Bundled:
		return "always"
	case c.Installed != nil && declaredSelfContained(c.Installed):
		return "always"
	default:
		return "when it says that it is self-contained"
	}
}

func declaredSelfContained(c *config.Installed) bool {
	_, p, err := findInstalled(c.Name, c.Version)
	return err == nil && p.SelfContained
}
