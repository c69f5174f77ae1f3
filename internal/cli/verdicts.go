package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/oauth"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/statefile"
	"github.com/mcp-relay/relay/internal/verdictcache"
	"github.com/mcp-relay/relay/scanner"
)

// verdictsDir is the directory, in the relay's state directory, of verdicts on
// definitions.
const verdictsDir = "verdicts"

// openVerdicts opens the store of verdicts.
func openVerdicts(cfg *config.Config, log *slog.Logger) *verdictcache.Store {
	c := &cfg.Relay.VerdictCache
	o := verdictcache.Options{Memory: c.Memory, TTL: c.TTL, Keychain: oauth.HasKeychain(), Logger: log}
	if c.Disk {
		// Without a state directory they are kept in memory only.
		if home, err := statefile.Home(); err == nil {
			o.Dir = filepath.Join(home, verdictsDir)
		}
	}
	return verdictcache.Open(o)
}

// remembering returns a scanner that gives verdicts which were given before,
// where its configuration says so. One that observes does not: what it costs is
// part of what it is observed for.
func (a *assembly) remembering(c *config.Scanner, s *plugin.Supervisor) scan.Scanner {
	if a.verdicts == nil || c.Cache == config.CacheFalse || c.Mode == config.ModeObserve || c.Cache == config.Auto && !c.Bundled {
		return s
	}
	about := &subject{scanner: s, config: c, files: verdictcache.NewFiles(c.Config, c.Args)}
	if c.Bundled {
		about.describe()
	}
	return verdictcache.New(s, about, a.verdicts, longest(c))
}

// subject is what is known of a scanner whose verdicts are kept.
type subject struct {
	scanner *plugin.Supervisor
	config  *config.Scanner
	files   *verdictcache.Files
	// A bundled scanner is this program: it is known before its process is
	// there, so that a kept verdict need not wait for that.
	program string
	own     scanner.Info
}

// describe finds out who a bundled scanner is, if that can be told by now.
func (s *subject) describe() {
	bundle, ok := bundled.New(s.config.Plugin)
	if !ok {
		return
	}
	if d, ok := bundle.(scanner.Describer); ok {
		s.own, s.program = d.Describe(), programFile()
	}
}

var _ verdictcache.Subject = (*subject)(nil)

// Known implements verdictcache.Subject.
func (s *subject) Known() (verdictcache.Identity, verdictcache.Scope, bool) {
	digest, name, version, deterministic, inventory := s.program, s.own.Name, s.own.Version, s.own.Deterministic, s.own.UsesInventory
	if digest == "" {
		if digest = s.scanner.Digest(); digest == "" {
			return verdictcache.Identity{}, verdictcache.Nothing, false
		}
		info := s.scanner.Info()
		name, version, deterministic, inventory = info.Name, info.Version, info.Deterministic, info.UsesInventory
	}
	scope := verdictcache.Everything
	switch {
	case s.config.Cache == config.CacheDefinitions:
		scope = verdictcache.Definitions
	case s.config.Cache == config.Auto && !deterministic:
		scope = verdictcache.Nothing
	}
	return verdictcache.Identity{
		Contract: plugin.Contract, Relay: programBuild(), Digest: digest,
		Name: s.config.Name, Program: name, Version: version,
		Config: s.files.Sum(), MayRewrite: s.config.MayRewrite, Inventory: inventory,
	}, scope, true
}

// usesInventory reports whether a scanner says that it takes into account what
// other servers offer. Other programs have said so when they are ready.
func (a *assembly) usesInventory() bool {
	t := a.current()
	for i, s := range t.scanners {
		c := &t.configured[i]
		if s.Info().UsesInventory {
			return true
		}
		if !c.Bundled {
			continue
		}
		if bundle, ok := bundled.New(c.Plugin); ok {
			if d, ok := bundle.(scanner.Describer); ok && d.Describe().UsesInventory {
				return true
			}
		}
	}
	return false
}

// Await implements verdictcache.Subject.
func (s *subject) Await(ctx context.Context) {
	_ = s.scanner.Ready(ctx) // Known says what came of it
}

// programBuild tells builds of the relay apart, as far as Go recorded how they
// were made.
var programBuild = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return programVersion()
	}
	sum := sha256.Sum256([]byte(info.String()))
	return programVersion() + " " + hex.EncodeToString(sum[:])
})
