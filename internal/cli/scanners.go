package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/scan"
)

// team is the scanners of a configuration, in its order.
type team struct {
	scanners   []*plugin.Supervisor
	configured []config.Scanner
}

// startScanners starts every configured scanner and returns it with its policy.
// One that runs in the way that it is configured now stays. With an error the
// others are in the team that is returned, too.
func (a *assembly) startScanners(ctx context.Context, cfg *config.Config, running *team) (*team, []scan.Member, error) {
	t := &team{}
	members := make([]scan.Member, 0, len(cfg.Relay.Scanners))
	for i := range cfg.Relay.Scanners {
		c := &cfg.Relay.Scanners[i]
		s := running.find(c)
		if s == nil {
			var err error
			if s, err = plugin.Start(ctx, pluginSpec(c), a.warden, a.log); err != nil {
				return t, nil, fmt.Errorf("scanner %s: %w", c.Name, err)
			}
		}
		t.scanners = append(t.scanners, s)
		t.configured = append(t.configured, *c)
		members = append(members, scan.Member{Scanner: a.remembering(c, s), Policy: policy(c, s)})
	}
	return t, members, nil
}

// find returns the scanner that runs exactly as c has it; nil: none does.
func (t *team) find(c *config.Scanner) *plugin.Supervisor {
	for i := range t.configured {
		before := &t.configured[i]
		if before.Name != c.Name || !reflect.DeepEqual(before.Installed, c.Installed) {
			continue
		}
		now, then := pluginSpec(c), pluginSpec(before)
		now.Verify, then.Verify = nil, nil // functions are never alike; they verify the same
		if reflect.DeepEqual(now, then) {
			return t.scanners[i]
		}
	}
	return nil
}

// without returns the part of the team that is not in another.
func (t *team) without(other *team) *team {
	rest := &team{}
	for i, s := range t.scanners {
		if !slices.Contains(other.scanners, s) {
			rest.scanners = append(rest.scanners, s)
			rest.configured = append(rest.configured, t.configured[i])
		}
	}
	return rest
}

// stop ends the scanners and waits until they are gone.
func (t *team) stop(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	var stopping sync.WaitGroup
	for _, s := range t.scanners {
		stopping.Go(func() {
			if err := s.Stop(ctx); err != nil {
				log.Debug("a scanner did not stop by itself", slog.Any("error", err))
			}
		})
	}
	stopping.Wait()
}

func pluginSpec(c *config.Scanner) plugin.Spec {
	spec := plugin.Spec{
		Name: c.Name, Args: c.Args, SHA256: c.SHA256, Config: c.Config, MayRewrite: c.MayRewrite,
		Timeout: longest(c), MaxConcurrent: c.MaxConcurrent, Env: process.Environment(process.DefaultAllow(), nil, false),
		RunDir: runDir(), Sandbox: sandboxes[c.Sandbox],
	}
	if c.Bundled {
		spec.Bundled = c.Plugin
		spec.Needs, spec.Limits = bundledNeeds(c.Plugin, c.Config), bundledLimits
	} else if spec.Path = c.Plugin; c.Installed != nil {
		useInstalled(&spec, c.Installed)
	}
	return spec
}

// runDir returns where scanners' sockets live. The path is short, because a
// socket's path may not be longer than about 100 bytes.
func runDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && filepath.IsAbs(dir) {
		return filepath.Join(dir, "mcp-relay")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("mcp-relay-%d", os.Getuid()))
}

// scannerWait is how long a start waits for scanners before it goes on without
// them; what they have to judge is held back until they are there.
const scannerWait = 10 * time.Second

// ready waits for the scanners. It fails when one of them was given up: its
// program or its configuration has to be changed, and until then the relay
// would do nothing but block.
func (a *assembly) ready(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, scannerWait)
	defer cancel()
	t := a.current()
	for i, s := range t.scanners {
		err := s.Ready(ctx)
		switch {
		case err == nil:
			if err := phasesFit(&t.configured[i], s.Info()); err != nil {
				return invalid{err}
			}
		case s.State() == plugin.Failed:
			return invalid{err}
		case parent.Err() != nil:
			return nil // it is over anyway
		default:
			a.log.Warn("a scanner is not ready; what it judges is held back", slog.Any("error", err))
		}
	}
	return nil
}

// phasesFit fails when a scanner is to judge what it says it does not judge:
// all of that would be held back for ever.
func phasesFit(c *config.Scanner, info plugin.Info) error {
	if info.Phases == nil {
		return nil
	}
	for _, phase := range c.Phases {
		if !slices.Contains(info.Phases, phase) {
			return fmt.Errorf("scanner %s does not judge phase %s: set its phases to those of [%s] and let another scanner judge the rest",
				printable.String(c.Name), phase, phaseList(info.Phases))
		}
	}
	return nil
}
