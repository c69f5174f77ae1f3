package cli

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/doctor"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/statefile"
)

// dependencies are the files and directories that a configuration relies on.
func dependencies(cfg *config.Config) []doctor.Path {
	paths := []doctor.Path{
		{What: "configuration", Name: cfg.Path},
		{What: "directory of the configuration", Name: filepath.Dir(cfg.Path)},
		{What: "run directory", Name: runDir(), Secret: true},
	}
	if home, err := statefile.Home(); err == nil {
		paths = append(paths, doctor.Path{What: "state directory", Name: home, Secret: true})
		entries, _ := os.ReadDir(home) // it may not be there yet
		for _, e := range entries {
			paths = append(paths, doctor.Path{What: "state file", Name: filepath.Join(home, e.Name()), Secret: true})
		}
	}
	if p := auditPath(cfg); p != "" {
		paths = append(paths, doctor.Path{What: "audit record", Name: p, Secret: true})
	}
	for i := range cfg.Relay.Scanners {
		if s := &cfg.Relay.Scanners[i]; !s.Bundled {
			paths = append(paths,
				doctor.Path{What: "program of scanner " + s.Name, Name: s.Plugin},
				doctor.Path{What: "directory of scanner " + s.Name, Name: filepath.Dir(s.Plugin)})
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(p doctor.Path) bool {
		was := seen[p.Name]
		seen[p.Name] = true
		return was
	})
}

// auditPath returns the file of the audit record, or "" when there is none.
func auditPath(cfg *config.Config) string {
	if cfg.Relay.Audit.Disabled || cfg.Relay.Audit.Path == audit.Stderr {
		return ""
	}
	path, _ := audit.PathOf(cfg.Relay.Audit.Path) // without a home there is none
	return path
}

func storageChecks(cfg *config.Config) doctor.Report {
	path := auditPath(cfg)
	if path == "" {
		return nil
	}
	files := max(1, cfg.Relay.Audit.MaxBackups+1)
	need := uint64(max(1, cfg.Relay.Audit.MaxSizeMB)) * uint64(files) * doctor.MiB
	return doctor.Report{doctor.Space(path, need), doctor.Record(path)}
}

// tokensCheck looks at the tokens of HTTP clients.
func tokensCheck(cfg *config.Config) doctor.Check {
	if !cfg.Relay.HTTP.Enabled || cfg.Relay.HTTP.Auth == config.AuthNone {
		return doctor.NoTokens()
	}
	store, err := openTokens(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return doctor.Tokens(0, err)
	}
	return doctor.Tokens(len(store.List()), nil)
}

// installedChecks looks at the installed scanners.
func installedChecks() doctor.Report {
	s, err := openStore()
	if err != nil {
		return nil // without a home there are none
	}
	return doctor.Installed(s)
}

// startAll starts scanners and servers as a client would have them, and says what
// became of them.
func startAll(ctx context.Context, o *doctorOptions, cfg *config.Config) (doctor.Report, error) {
	log, err := newLogger(o.std.err, o.level)
	if err != nil {
		return nil, invalid{err}
	}
	start := time.Now()
	a, err := assemble(ctx, cfg, log, o.std.err)
	if err != nil {
		return doctor.Report{{Area: doctor.Configuration, Status: doctor.Fail, What: err.Error()}}, nil
	}
	defer a.close()
	a.remember(cfg)
	core := a.core(false)
	defer core.Close()
	core.Start(ctx)
	report := doctor.Judges(a.scannerFacts(ctx, start))
	waited, cancel := context.WithTimeout(ctx, max(cfg.Relay.StartTimeout, scannerWait))
	defer cancel()
	took := map[string]time.Duration{}
	look := func() {
		for _, s := range core.Status() {
			if _, known := took[s.Server]; s.Ready && !known {
				took[s.Server] = time.Since(start)
			}
		}
	}
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		core.Settle(waited)
	}()
	for done := false; !done; {
		select {
		case <-settled:
			done = true
		case <-time.After(10 * time.Millisecond):
		}
		look()
	}
	servers := make([]doctor.Server, 0, len(cfg.Servers))
	for i := range cfg.Servers {
		if c := &cfg.Servers[i]; c.Disabled {
			servers = append(servers, doctor.Server{Name: c.Name, Disabled: true})
		}
	}
	for _, s := range core.Status() {
		f := doctor.Server{
			Name: s.Server, Hidden: s.Hidden, Ready: s.Ready, Error: s.Error, Revision: s.Revision, Took: took[s.Server],
		}
		for _, k := range registry.Kinds {
			for _, e := range core.Registry().Entries(k) {
				switch {
				case e.Server != s.Server:
				case e.Public != "":
					f.Offered++
				case e.State == registry.Held:
					f.Held++
				default:
					f.Withheld++
				}
			}
		}
		servers = append(servers, f)
	}
	return append(report, doctor.Started(servers)...), nil
}

// scannerFacts waits for the scanners and says what became of each.
func (a *assembly) scannerFacts(ctx context.Context, start time.Time) []doctor.Scanner {
	ctx, cancel := context.WithTimeout(ctx, scannerWait)
	defer cancel()
	facts := make([]doctor.Scanner, len(a.scanners))
	for i, s := range a.scanners {
		f := &facts[i]
		f.Config, f.Err = &a.configured[i], s.Ready(ctx)
		info := s.Info()
		f.Took, f.Digest = time.Since(start), s.Digest()
		f.Version, f.Phases, f.NeedsNetwork, f.Sandboxed = info.Version, info.Phases, info.NeedsNetwork, info.Sandbox
	}
	return facts
}

// clockChecks asks every peer over HTTP for its time.
func clockChecks(ctx context.Context, cfg *config.Config) (report doctor.Report) {
	client := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
		Timeout:       clockTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	for i := range cfg.Servers {
		if s := &cfg.Servers[i]; !s.Disabled && s.URL != "" {
			report = append(report, doctor.Clock(ctx, client, s.Name, s.URL))
		}
	}
	for i := range cfg.Relay.Scanners {
		var keys struct {
			Endpoint string `json:"endpoint"`
		}
		s := &cfg.Relay.Scanners[i]
		if json.Unmarshal(s.Config, &keys) == nil && s.Bundled && keys.Endpoint != "" {
			report = append(report, doctor.Clock(ctx, client, s.Name, keys.Endpoint))
		}
	}
	if report == nil {
		report = doctor.Report{{Area: doctor.Clocks, Status: doctor.OK, What: "no peer whose clock could differ"}}
	}
	return report
}
