package noop

import (
	"context"

	"github.com/mcp-relay/relay/scanner"
)

type noop struct{}

// New returns a scanner that allows everything.
func New() scanner.Scanner { return noop{} }

// Describe says what the scanner is.
func (noop) Describe() scanner.Info {
	return scanner.Info{Name: "noop", Version: "1.0.0", Deterministic: true, SelfContained: true}
}

// Scan allows the content.
func (noop) Scan(context.Context, scanner.Content) (scanner.Verdict, error) {
	return scanner.Allow(), nil
}
