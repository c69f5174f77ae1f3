package bundled

import (
	"context"
	"maps"
	"slices"

	"github.com/mcp-relay/relay/plugins/guard"
	"github.com/mcp-relay/relay/plugins/noop"
	"github.com/mcp-relay/relay/plugins/panscanner"
	"github.com/mcp-relay/relay/scanner"
)

// constructors makes each scanner on demand: a process serves one of them and
// must not pay for the others.
var constructors = map[string]func() scanner.Scanner{
	"guard":      guard.New,
	"noop":       noop.New,
	"panscanner": panscanner.New,
}

// Names returns the names of the bundled scanners in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(constructors)) }

// New makes the bundled scanner of that name. It returns false when there is
// none.
func New(name string) (scanner.Scanner, bool) {
	construct, ok := constructors[name]
	if !ok {
		return nil, false
	}
	return construct(), true
}

// Explain says what a rule of a bundled scanner looks for and why that matters;
// both are empty when nothing is known.
func Explain(name, rule string) (title, reason string) {
	if name != "guard" {
		return "", ""
	}
	return guard.Explain(rule)
}

// Live returns the configuration with which a bundled scanner proves, by one scan
// and nothing more, what it was configured with.
func Live(name string, config []byte) []byte {
	if name != "panscanner" {
		return config
	}
	return panscanner.LiveConfig(config)
}

// Advice says what to do when a bundled scanner gives no verdict for this reason;
// empty: nothing is known.
func Advice(name, reason string) string {
	if name != "panscanner" {
		return ""
	}
	return panscanner.Advice(reason)
}

// RuleInfo is what there is to know of one rule.
type RuleInfo = guard.RuleInfo

// RuleCheck is what checking a file of rules found.
type RuleCheck = guard.RuleCheck

// RuleProblem is one thing that is wrong with a file of rules.
type RuleProblem = guard.RuleProblem

// CheckedRule is one rule of a file with what its tests say.
type CheckedRule = guard.CheckedRule

// Rules lists what the bundled scanner guard can find.
func Rules() ([]RuleInfo, error) {
	return guard.Rules() //nolint:wrapcheck // it says what was attempted
}

// CheckRules checks a file of rules for the bundled scanner guard.
func CheckRules(ctx context.Context, data []byte) (RuleCheck, error) {
	return guard.CheckRules(ctx, data) //nolint:wrapcheck // it says what was attempted
}
