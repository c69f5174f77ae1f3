package verdict

import "fmt"

// Cause tells whose fault a missing verdict is. The difference decides policy:
// an outage follows the scanner's on_error, a failure that the content caused
// blocks whatever on_error says, because its author chose the content.
type Cause uint8

// The causes. The zero value is treated like CauseContent, the stricter one.
const (
	CauseUnspecified Cause = iota
	// CauseOutage is the environment: not started, network, credentials, quota.
	CauseOutage
	// CauseContent is the content: timeout, crash, oversize, depth or an
	// invalid verdict while the content was in the scanner.
	CauseContent
)

// String returns the cause's name as audit records spell it.
func (c Cause) String() string {
	if c == CauseOutage {
		return "outage"
	}
	return "content"
}

// Failure says that there is no verdict, why, and whose fault it is. It is the
// only error that a scan returns.
type Failure struct {
	Reason string // stable lower-case word: timeout, crash, oversize, invalid_verdict, unavailable, ...
	Cause  Cause
	Err    error // detail for the log; may hold foreign text, never sent to a client
}

// Error returns the reason and the detail.
func (f *Failure) Error() string {
	if f.Err == nil {
		return "no verdict: " + f.Reason
	}
	return fmt.Sprintf("no verdict: %s: %v", f.Reason, f.Err)
}

// Unwrap returns the detail.
func (f *Failure) Unwrap() error { return f.Err }
