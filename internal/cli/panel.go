package cli

import (
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// panel returns who judges and by which policy: members are the scanners of the
// configuration.
func panel(cfg *config.Config, members []scan.Member) scan.Panel {
	p := scan.Panel{
		Rules:   ownRules(cfg),
		Members: members, AllowUnscanned: cfg.Relay.AllowUnscanned,
		Budget: cfg.Relay.ScanBudget, Uninspected: uninspected(cfg.Relay.Uninspected),
	}
	for i := range cfg.Relay.Exceptions {
		p.Exceptions = append(p.Exceptions, &cfg.Relay.Exceptions[i])
	}
	return p
}

// policy returns what the word of a configured scanner counts.
func policy(c *config.Scanner, s *plugin.Supervisor) scan.Policy {
	return scan.Policy{
		Name: c.Name, Digest: s.Digest, Covers: c.Covers, Stage: judgesIn(c, s.Info),
		Terms: terms(&config.Override{Mode: c.Mode, Threshold: c.Threshold, OnError: c.OnError, Timeout: c.Timeout}),
		Effective: func(server, target string, phase verdict.Phase) scan.Terms {
			o := c.Effective(server, target, phase)
			return terms(&o)
		},
		ByTarget: c.ByTarget, Enforces: c.Enforces, Fallback: c.Fallback, Limit: longest(c),
		Away:                  func() bool { return s.State() == plugin.Backoff },
		ReadsMedia:            func() bool { return slices.Contains(s.Info().Kinds, verdict.Blob) },
		AllowOnContentFailure: c.OnContentError == config.PolicyAllow,
		RedactRequests:        c.RedactRequests,
	}
}

// judgesIn returns when a scanner judges. What a program needs it says when it is
// there; the bundled ones are known.
func judgesIn(c *config.Scanner, info func() plugin.Info) func() (int, bool) {
	fixed := 0
	switch {
	case c.Stage != nil:
		fixed = *c.Stage
	case c.Bundled && c.Plugin == "panscanner":
		fixed = 1
	case !c.Bundled:
		return func() (int, bool) {
			switch said := info(); {
			case said.Name == "":
				return 0, false
			case said.NeedsNetwork:
				return 1, true
			default:
				return 0, true
			}
		}
	}
	return func() (int, bool) { return fixed, true }
}

// longest returns how long a scan may take, whatever the content.
func longest(c *config.Scanner) time.Duration {
	limit := c.Timeout
	for i := range c.Overrides {
		limit = max(limit, c.Overrides[i].Timeout)
	}
	return limit
}

// terms puts a policy into the gate's words. What the configuration does not
// name is the strictest.
func terms(o *config.Override) scan.Terms {
	t := scan.Terms{Timeout: o.Timeout, Uninspected: uninspected(o.Uninspected)}
	switch o.Mode {
	case config.ModeObserve:
		t.Mode = scan.Observe
	case config.ModeOff:
		t.Mode = scan.Off
	default:
	}
	switch o.OnError {
	case config.PolicyAllow:
		t.OnOutage = scan.OutagePasses
	case config.PolicyFallback:
		t.OnOutage = scan.OutageFallback
	default:
	}
	for s := verdict.Info; s <= verdict.Critical; s++ {
		if s.String() == o.Threshold {
			t.Threshold = s
		}
	}
	return t
}

func uninspected(policy string) scan.Uninspected {
	switch policy {
	case config.Auto:
		return scan.UninspectedAuto
	case config.UninspectedAllow:
		return scan.UninspectedAllow
	case config.UninspectedFlag:
		return scan.UninspectedFlag
	case config.UninspectedStrip:
		return scan.UninspectedStrip
	case config.UninspectedBlock:
		return scan.UninspectedBlock
	default:
		return scan.UninspectedUnset
	}
}
