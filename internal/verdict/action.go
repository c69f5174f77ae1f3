package verdict

import "fmt"

// Action is what a scanner asks the relay to do with content. Actions are
// ordered: of several verdicts the strongest action wins.
type Action uint8

// The actions, weakest first. The zero value is a failure, never an allow.
const (
	ActionUnspecified Action = iota
	// Allow lets the content pass.
	Allow
	// Flag lets the content pass and records the findings.
	Flag
	// Redact replaces the located parts and lets the rest pass.
	Redact
	// Block refuses the content.
	Block
)

var actionNames = [...]string{"unspecified", "allow", "flag", "redact", "block"}

// String returns the action's name as audit records spell it.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Valid reports whether a is one of Allow, Flag, Redact and Block.
func (a Action) Valid() bool { return a >= Allow && a <= Block }
