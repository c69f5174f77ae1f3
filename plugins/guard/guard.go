package guard

import (
	"context"
	_ "embed"
	"sync/atomic"

	"github.com/mcp-relay/relay/scanner"
)

//go:embed schema.json
var configSchema []byte

// Guard is the embedded scanner. It is safe for concurrent use and keeps
// nothing between scans.
type Guard struct {
	settings atomic.Pointer[settings]
}

var (
	_ scanner.Scanner    = (*Guard)(nil)
	_ scanner.Describer  = (*Guard)(nil)
	_ scanner.Configurer = (*Guard)(nil)
)

// New returns a scanner with the default settings. It reads no rules yet: the
// first Configure or Scan does.
func New() scanner.Scanner {
	g := &Guard{}
	g.settings.Store(&settings{maxBytes: defaultMaxBytes})
	return g
}

// Describe says what the scanner is and how it can be configured.
func (g *Guard) Describe() scanner.Info {
	return scanner.Info{Name: "guard", ConfigSchema: configSchema, Deterministic: true, SelfContained: true, UsesInventory: true}
}

// Configure reads the rules, checks config against them and puts it into
// force. It returns scanner.Problems when config cannot be used.
func (g *Guard) Configure(_ context.Context, config []byte) error {
	e, err := loadEngine()
	if err != nil {
		return err
	}
	s, err := parseSettings(config, e)
	if err != nil {
		return err
	}
	g.settings.Store(s)
	return nil
}

// Scan judges c. It returns an error only when ctx ends before it is done.
func (g *Guard) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
	settings := g.settings.Load()
	e := settings.engine
	if e == nil {
		var err error
		if e, err = loadEngine(); err != nil {
			return scanner.Verdict{}, &scanner.Error{Reason: scanner.ReasonInternal, Message: err.Error()}
		}
	}
	s := newScan(e, settings, c)
	if err := s.run(ctx, c); err != nil {
		return scanner.Verdict{}, err
	}
	return s.verdict(c.Phase), nil
}
