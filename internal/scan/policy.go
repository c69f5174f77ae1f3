package scan

import (
	"context"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Scanner judges content within a time of its own, and returns soon after ctx
// ends. The error is always a *verdict.Failure.
type Scanner interface {
	Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error)
}

// Policy says what a scanner judges and what its word counts.
type Policy struct {
	Name   string
	Digest func() string // SHA-256 of the scanner's binary, for the audit record

	// Covers reports whether the scanner judges a phase of a server.
	Covers func(server string, phase verdict.Phase) bool

	// Observe records verdicts and lets everything pass.
	Observe bool
	// AllowOnOutage lets content pass when the scanner cannot work.
	AllowOnOutage bool
	// AllowOnContentFailure lets content pass that made the scanner fail. It
	// hands the decision to whoever wrote the content.
	AllowOnContentFailure bool
	// RedactRequests applies redactions to requests; otherwise a redact verdict
	// blocks a request, because an edited call does something else.
	RedactRequests bool
}

// tolerates reports whether content passes although the scanner gave no verdict.
func (p *Policy) tolerates(f *verdict.Failure) bool {
	if f.Cause == verdict.CauseOutage {
		return p.AllowOnOutage
	}
	return p.AllowOnContentFailure
}

// Member is a scanner with its policy.
type Member struct {
	Policy
	Scanner Scanner
}
