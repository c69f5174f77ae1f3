package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/downstream"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/relay"
	"github.com/mcp-relay/relay/internal/scan"
)

// assembly is a relay with everything that it stands on.
type assembly struct {
	relay    *relay.Relay
	warden   *process.Warden
	scanners []*plugin.Supervisor
	// configured are the scanners' configurations, in the same order.
	configured []config.Scanner
	audit      *audit.Log
	log        *slog.Logger
}

// assemble wires a relay from a configuration. Scanner processes start at
// once, in the background; servers start with relay.Start.
func assemble(ctx context.Context, cfg *config.Config, log *slog.Logger, stderr io.Writer) (*assembly, error) {
	a := &assembly{log: log}
	var err error
	if a.warden, err = startWarden(); err != nil {
		return nil, err
	}
	if a.audit, err = openAudit(cfg, log, stderr); err != nil {
		a.close()
		return nil, err
	}
	members, err := a.startScanners(ctx, cfg)
	if err != nil {
		a.close()
		return nil, err
	}
	gate := scan.New(members, cfg.Relay.AllowUnscanned, a.audit, log)
	naming := registry.Prefix
	if cfg.Relay.Naming == "bare" {
		naming = registry.Bare
	}
	a.relay = relay.New(relay.Options{
		Version: programVersion(), Servers: a.servers(cfg),
		Naming: naming, MaxName: cfg.Relay.MaxName, MaxTools: cfg.Relay.MaxTools,
		StartTimeout: cfg.Relay.StartTimeout, CallTimeout: cfg.Relay.CallTimeout, RelistInterval: cfg.Relay.RelistInterval,
		Gate: gate, Audit: a.audit, Log: log,
	})
	return a, nil
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
	for i, s := range a.scanners {
		err := s.Ready(ctx)
		switch {
		case err == nil:
			if err := phasesFit(&a.configured[i], s.Info()); err != nil {
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

// close ends everything, the servers first: what they still say is judged.
func (a *assembly) close() {
	if a.relay != nil {
		a.relay.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	var stopping sync.WaitGroup
	for _, s := range a.scanners {
		stopping.Go(func() {
			if err := s.Stop(ctx); err != nil {
				a.log.Debug("a scanner did not stop by itself", slog.Any("error", err))
			}
		})
	}
	stopping.Wait()
	if a.warden != nil {
		if err := a.warden.Close(); err != nil {
			a.log.Debug("the warden did not stop by itself", slog.Any("error", err))
		}
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
		OnError: audit.OnError(c.OnError), Logger: log, Stderr: stderr,
	})
	if err != nil {
		return nil, invalid{fmt.Errorf("%w; set relay.audit.path to a place that can be written", err)}
	}
	return l, nil
}

// startScanners starts every configured scanner and returns it with its policy.
func (a *assembly) startScanners(ctx context.Context, cfg *config.Config) ([]scan.Member, error) {
	members := make([]scan.Member, 0, len(cfg.Relay.Scanners))
	for i := range cfg.Relay.Scanners {
		c := &cfg.Relay.Scanners[i]
		s, err := plugin.Start(ctx, pluginSpec(c), a.warden, a.log)
		if err != nil {
			return nil, fmt.Errorf("scanner %s: %w", c.Name, err)
		}
		a.scanners = append(a.scanners, s)
		a.configured = append(a.configured, *c)
		members = append(members, scan.Member{Scanner: s, Policy: scan.Policy{
			Name: c.Name, Digest: s.Digest, Covers: c.Covers,
			Observe:               c.Mode == config.ModeObserve,
			AllowOnOutage:         c.OnError == config.PolicyAllow,
			AllowOnContentFailure: c.OnContentError == config.PolicyAllow,
			RedactRequests:        c.RedactRequests,
		}})
	}
	return members, nil
}

func pluginSpec(c *config.Scanner) plugin.Spec {
	spec := plugin.Spec{
		Name: c.Name, Args: c.Args, SHA256: c.SHA256, Config: c.Config, MayRewrite: c.MayRewrite,
		Timeout: c.Timeout, MaxConcurrent: c.MaxConcurrent, Env: process.Environment(process.DefaultAllow(), nil, false),
		RunDir: runDir(),
	}
	if c.Bundled {
		spec.Bundled = c.Plugin
	} else {
		spec.Path = c.Plugin
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

// servers returns the configured servers that are to be started.
func (a *assembly) servers(cfg *config.Config) []relay.Server {
	servers := make([]relay.Server, 0, len(cfg.Servers))
	for i := range cfg.Servers {
		c := &cfg.Servers[i]
		if c.Disabled {
			continue
		}
		if len(servers) >= cfg.Relay.MaxServers {
			a.log.Warn("not started: above relay.max_servers", slog.String("server", c.Name))
			continue
		}
		servers = append(servers, relay.Server{
			Name: c.Name, Hidden: c.Hidden, Twin: twin(c), CallTimeout: c.Timeout, Dialer: a.dialer(cfg, c),
		})
	}
	return servers
}

// dialer returns how to connect to a server.
func (a *assembly) dialer(cfg *config.Config, c *config.Server) relay.Dialer {
	switch c.Type {
	case config.TypeSSE:
		return relay.DialFunc(func(context.Context, peer.Handler) (relay.Connection, error) { return nil, errOldTransport })
	case config.TypeHTTP:
		d := downstream.HTTP{
			Proxy: http.ProxyFromEnvironment,
			Name:  c.Name, URL: c.URL, Headers: c.Headers, MaxMessage: cfg.Relay.MaxMessage, Log: a.log, Shape: protocol.Message(),
		}
		return relay.DialFunc(func(ctx context.Context, h peer.Handler) (relay.Connection, error) { return d.Dial(ctx, h) })
	}
	d := downstream.Stdio{
		Name: c.Name, Command: c.Command, Args: c.Args, Dir: c.Dir, MaxMessage: cfg.Relay.MaxMessage,
		Env:    process.Environment(process.DefaultAllow(), c.Env, c.InheritEnv),
		Warden: a.warden, Log: a.log, Shape: protocol.Message(),
	}
	return relay.DialFunc(func(ctx context.Context, h peer.Handler) (relay.Connection, error) {
		i, err := d.Dial(ctx, h)
		if err != nil {
			return nil, err
		}
		return discreet{i, slices.Collect(maps.Values(c.Env))}, nil
	})
}

// discreet is a connection whose server may write its secrets to its standard
// error: the relay does not repeat what it gave to the server.
type discreet struct {
	downstream.Instance

	secrets []string
}

// shortSecret is the length below which a value is no secret, but a word that
// may stand anywhere.
const shortSecret = 6

// Stderr returns the end of what the server wrote, without the values of its
// configured environment.
func (d discreet) Stderr() string {
	t, ok := d.Instance.(interface{ Stderr() string })
	if !ok {
		return ""
	}
	text := t.Stderr()
	for _, secret := range d.secrets {
		if len(secret) >= shortSecret {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return text
}

var errOldTransport = errors.New("the old HTTP+SSE transport is not available: use the server's Streamable HTTP address and type http")

// twin returns a key that servers share whose configuration is the same but
// for the name.
func twin(c *config.Server) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q %q", c.Type, c.Command, c.Args, c.Dir, c.URL)
	for _, m := range []map[string]string{c.Env, c.Headers} {
		fmt.Fprintf(&b, " %q", fmt.Sprint(m)) // maps print in key order
	}
	fmt.Fprintf(&b, " %t %t", c.Hidden, c.InheritEnv)
	return b.String()
}
