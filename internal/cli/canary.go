package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/canary"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/doctor"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/protocol"
)

// canaryTimeout bounds all conversations together.
const canaryTimeout = 10 * time.Minute

var (
	errUnjudged  = errors.New("not everything is judged; see above")
	errNoServers = errors.New("no server is enabled: there is nothing to prove")
)

// runCanary proves what is judged: a fake server takes the place of every
// configured one, and the configured scanners judge what it says.
func runCanary(ctx context.Context, o *doctorOptions) error {
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	cfg, err := config.Load(configOptions(o.config))
	if err != nil {
		return invalid{err}
	}
	if err := runnable(cfg); err != nil {
		return invalid{err}
	}
	plan := paths(cfg)
	if len(plan) == 0 {
		return invalid{errNoServers}
	}
	dir, err := os.MkdirTemp("", "relay-canary-")
	if err != nil {
		return fmt.Errorf("making a directory for the canary: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	a := &aviary{options: o, cfg: undisturbed(cfg, dir), dir: dir, witness: canary.NewWitness()}
	matrix, err := a.fly(ctx, plan)
	if err != nil {
		return err
	}
	if err := o.printMatrix(matrix); err != nil {
		return err
	}
	if matrix.Failed() {
		return errUnjudged
	}
	return nil
}

// undisturbed returns a configuration that leaves no traces: the record goes to a
// place of its own, and nothing is remembered.
func undisturbed(cfg *config.Config, dir string) *config.Config {
	out := *cfg
	out.Relay.Audit.Path, out.Relay.Audit.Disabled = filepath.Join(dir, "audit.jsonl"), false
	out.Relay.VerdictCache.Disk = false
	out.Relay.Watch = false
	out.Relay.RelistInterval = 0
	return &out
}

// path is one conversation that is to be had.
type path struct {
	server *config.Server
	way    canary.Way
}

// paths returns which ways are tried for which server: those that it may be
// reached on by its configuration. Ways that no server has are tried with the
// first, so that every transport is looked at.
func paths(cfg *config.Config) []path {
	var all []path
	var first *config.Server
	tried := map[canary.Way]bool{}
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		if s.Disabled {
			continue
		}
		if first == nil {
			first = s
		}
		for _, way := range canary.Ways {
			if way.Transport == s.Type && (s.Protocol == config.ProtocolAuto || way.Modern == (s.Protocol == config.ProtocolModern)) {
				all = append(all, path{s, way})
				tried[way] = true
			}
		}
	}
	for _, way := range canary.Ways {
		if first != nil && !tried[way] {
			all = append(all, path{first, way})
		}
	}
	return all
}

// silent returns what a server may not ask clients.
func silent(s *config.Server) []string {
	var out []string
	for method, allowed := range map[string]bool{
		protocol.Elicit: s.Requests.Elicitation, protocol.CreateMessage: s.Requests.Sampling, protocol.ListRoots: s.Requests.Roots,
	} {
		if !allowed {
			out = append(out, method)
		}
	}
	slices.Sort(out)
	return out
}

func (o *doctorOptions) printMatrix(m *canary.Matrix) error {
	if !o.json {
		return m.Print(o.std.out) //nolint:wrapcheck // it says what failed
	}
	return printJSON(o.std.out, struct {
		Failed bool `json:"failed"`
		*canary.Matrix
	}{m.Failed(), m})
}

// announce says what the scanners will be sent, before they are.
func (o *doctorOptions) announce(facts []doctor.Scanner, conversations int) {
	// At most: two for each step, and what leads to them and back.
	contents := 4 * len(canary.Steps)
	for i := range facts {
		if f := &facts[i]; f.NeedsNetwork && f.Err == nil {
			fmt.Fprintf(o.std.err, "scanner %s is sent up to %d contents over the network, in %d conversations\n",
				printable.String(f.Config.Name), contents*conversations, conversations)
		}
	}
}
