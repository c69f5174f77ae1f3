package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/definitions"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/relay"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdictcache"
)

// assembly is everything that relay cores stand on. Each scope of clients has a
// core of its own.
type assembly struct {
	*team

	mu       sync.Mutex
	options  relay.Options // of every core that is made from now on
	renew    renewal       // of those that were made; nil: there are none yet
	gate     *scan.Gate
	warden   *process.Warden
	leaving  sync.WaitGroup // scanners that another configuration replaced
	verdicts *verdictcache.Store
	audit    *audit.Log
	log      *slog.Logger
	judged   []any // by what: see judgedBy
	// Set by remember.
	definitions *definitions.Store
	memory      *definitions.Memory
}

// assemble wires what a configuration asks for. Scanner processes start at
// once, in the background; servers start with the cores that use them.
func assemble(ctx context.Context, cfg *config.Config, log *slog.Logger, stderr io.Writer) (*assembly, error) {
	return assembleWatched(ctx, cfg, log, stderr, nil)
}

// watcher stands in for a scanner and sees what it is given.
type watcher func(name string, s scan.Scanner) scan.Scanner

// assembleWatched is assemble with somebody who looks on, unless watch is nil.
func assembleWatched(ctx context.Context, cfg *config.Config, log *slog.Logger, stderr io.Writer, watch watcher) (*assembly, error) {
	a := &assembly{team: &team{}, log: log, judged: judgedBy(cfg)}
	var err error
	if a.warden, err = startWarden(); err != nil {
		return nil, err
	}
	if a.audit, err = openAudit(cfg, log, stderr); err != nil {
		a.close()
		return nil, err
	}
	a.verdicts = openVerdicts(cfg, log)
	// What is in flight when a signal ends the relay is judged still; close ends
	// the scanners.
	var members []scan.Member
	a.team, members, err = a.startScanners(context.WithoutCancel(ctx), cfg, a.team)
	if err != nil {
		a.close()
		return nil, err
	}
	for i := range members {
		if watch != nil {
			members[i].Scanner = watch(members[i].Name, members[i].Scanner)
		}
	}
	if cfg.Relay.AllowSelfEdit {
		log.Warn("relay.allow_self_edit is set: calls may read and CHANGE the relay's own files and the configurations of MCP clients")
	}
	a.gate = scan.New(scan.Options{Panel: panel(cfg, members), Recorder: a.audit, Log: log})
	naming := registry.Prefix
	if cfg.Relay.Naming == "bare" {
		naming = registry.Bare
	}
	a.options = relay.Options{
		Version: programVersion(), Servers: a.servers(cfg),
		Naming: naming, MaxName: cfg.Relay.MaxName, MaxTools: cfg.Relay.MaxTools, PageSize: cfg.Relay.PageSize,
		StartTimeout: cfg.Relay.StartTimeout, CallTimeout: cfg.Relay.CallTimeout, RelistInterval: cfg.Relay.RelistInterval,
		ParkedTTL: cfg.Relay.ParkedTTL, MaxParked: cfg.Relay.Limits.ParkedPerPrincipal,
		Parking: bridge.NewRoom(cfg.Relay.HTTP.MaxParked), MaxInputRounds: cfg.Relay.MaxInputRounds,
		Gate: a.gate, UsesInventory: a.usesInventory, Audit: a.audit, Log: log,
	}
	return a, nil
}

// core returns a core for one client, which servers are told of, or for any
// number.
func (a *assembly) core(solo bool) *relay.Relay {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.newCore(solo)
}

// newCore is core for who holds a.mu.
func (a *assembly) newCore(solo bool) *relay.Relay {
	options := a.options
	options.Solo = solo
	return relay.New(options)
}

// close ends everything. The cores must have been closed before: what their
// servers still say is judged.
func (a *assembly) close() {
	a.forget()
	if a.gate != nil {
		a.gate.Close()
	}
	a.leaving.Wait()
	a.stop(a.log)
	if a.warden != nil {
		if err := a.warden.Close(); err != nil {
			a.log.Debug("the warden did not stop by itself", slog.Any("error", err))
		}
	}
	if a.verdicts != nil {
		a.verdicts.Close()
	}
	if a.audit != nil {
		if err := a.audit.Close(); err != nil {
			a.log.Warn("the audit record was not closed", slog.Any("error", err))
		}
	}
}

func startWarden() (*process.Warden, error) {
	exe, err := ownExecutable()
	if err != nil {
		return nil, err
	}
	w, err := process.StartWarden(exe, []string{wardenCommand})
	if err != nil {
		return nil, fmt.Errorf("starting the warden of child processes: %w", err)
	}
	return w, nil
}

// ownExecutable returns what starts this very program again. On Linux that is
// not the file of the same name, which an upgrade may have replaced.
func ownExecutable() (string, error) {
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		return "/proc/self/exe", nil
	}
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the relay's own program file: %w", err)
	}
	return exe, nil
}

func openAudit(cfg *config.Config, log *slog.Logger, stderr io.Writer) (*audit.Log, error) {
	c := cfg.Relay.Audit
	if c.Disabled {
		log.Warn("the audit record is switched off")
		return audit.Discard(), nil
	}
	backups := c.MaxBackups
	if backups == 0 {
		backups = -1 // all, where the library means a default
	}
	l, err := audit.Open(audit.Options{
		Path: c.Path, MaxSizeMB: c.MaxSizeMB, MaxBackups: backups,
		OnError: audit.OnError(c.OnError), Version: programVersion(), Logger: log, Stderr: stderr,
	})
	if err != nil {
		return nil, invalid{fmt.Errorf("%w; set relay.audit.path to a place that can be written", err)}
	}
	return l, nil
}
