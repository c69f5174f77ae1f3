package scan

import "github.com/mcp-relay/relay/internal/peer"

// Outcome is what became of content at the gate.
type Outcome uint8

// The outcomes. The zero value is no outcome.
const (
	NoOutcome Outcome = iota
	// Passed: the content may leave, as Decision.Cleared has it.
	Passed
	// Blocked: a verdict refused it.
	Blocked
	// Unavailable: there is no verdict and the policy is closed.
	Unavailable
	// Dropped: nothing was left of an uncovered notification without its text.
	Dropped
)

// word returns what became of the content, as audit records spell it.
func (d *Decision) word() string {
	switch {
	case d.Outcome == Passed && len(d.Withheld) > 0:
		return "passed_in_part"
	case d.Outcome == Passed:
		return "passed"
	case d.Outcome == Blocked:
		return "blocked"
	default:
		return "held_back"
	}
}

// Decision is the gate's answer.
type Decision struct {
	Outcome Outcome
	// Cleared is valid exactly when Outcome is Passed.
	Cleared peer.Cleared
	// ScanID is under which the audit record has it; empty when nothing judged.
	ScanID string
	// Withheld lists the items of a catalogue that must not be offered, in
	// ascending order. The rest of the catalogue passed.
	Withheld []int
	// Changed says that what passed is not what came: something was redacted or
	// taken out.
	Changed bool
}
