package verdict

// Severity grades a finding.
type Severity uint8

// The severities, weakest first.
const (
	SeverityUnspecified Severity = iota
	Info
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"unspecified", "info", "low", "medium", "high", "critical"}

// String returns the severity's name as audit records spell it.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return "unspecified"
}

// Location names a place in content: the JSON Pointer (RFC 6901) of a value
// and, where that value is a string, a range of bytes in the decoded string.
// Start == End == 0 means the whole value.
type Location struct {
	Pointer    string
	Start, End int
}

// Edit asks for a replacement of what a finding locates. The relay makes the
// replacement text from the finding's category unless the scanner's policy
// says may_rewrite, in which case Text is used when HasText is set.
type Edit struct {
	HasText bool
	Text    string
}

// Finding is one reason for a verdict.
type Finding struct {
	Rule       string // stable id of the rule, chosen by the scanner
	Category   string // dotted lower-case category, for example secret.aws_key
	Severity   Severity
	Confidence float64 // 0 to 1; 0 means not stated
	Message    string  // for people who run the relay; never sent to a client
	Location   Location
	Edit       *Edit // nil: nothing to replace
}

// Uninspected names a part of the content that a scanner did not look at.
type Uninspected struct {
	Pointer string // JSON Pointer; empty means the whole content
	Reason  string // for example "media type", "size", "depth"
}

// Verdict is a scanner's answer.
type Verdict struct {
	Action      Action
	Findings    []Finding
	Uninspected []Uninspected
	// ScannerTime is how long the scanner says it worked, in nanoseconds.
	ScannerTime int64
	// Reference is the scanner's own id of this scan (a report id); optional.
	Reference string
	// Link is where the scanner says that people find more about this scan: an
	// https address; optional. It is foreign and goes to records only.
	Link string
	// Cached says that the scanner gave this verdict on the same content before
	// and was not asked again. The relay sets it, never a scanner.
	Cached bool
}
