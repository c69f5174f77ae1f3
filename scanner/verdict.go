package scanner

// Action is what the relay is asked to do with content. Actions are ordered: of
// several verdicts the strongest wins.
type Action uint8

// The actions, weakest first. The zero value is not an action: a verdict
// without one is a failure, never an allow.
const (
	ActionUnspecified Action = iota
	// ActionAllow lets the content pass.
	ActionAllow
	// ActionFlag lets the content pass and records the findings as a warning.
	ActionFlag
	// ActionRedact replaces what findings with Redact set locate.
	ActionRedact
	// ActionBlock refuses the content.
	ActionBlock
)

// String returns the action's name.
func (a Action) String() string {
	switch a {
	case ActionAllow:
		return "allow"
	case ActionFlag:
		return "flag"
	case ActionRedact:
		return "redact"
	case ActionBlock:
		return "block"
	default:
		return "unspecified"
	}
}

// Severity grades a finding for people and reports. It does not change what
// happens to the content.
type Severity uint8

// The severities, weakest first. The zero value means not stated.
const (
	SeverityUnspecified Severity = iota
	SeverityInfo
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// String returns the severity's name.
func (s Severity) String() string {
	switch s {
	case SeverityInfo:
		return "info"
	case SeverityLow:
		return "low"
	case SeverityMedium:
		return "medium"
	case SeverityHigh:
		return "high"
	case SeverityCritical:
		return "critical"
	default:
		return "unspecified"
	}
}

// Location names a place in content. The zero value is the content as a whole.
type Location struct {
	// Pointer is the JSON Pointer (RFC 6901) of a value, as Strings, Keys and
	// Numbers give it. For text it is empty.
	Pointer string
	// Start and End are a range of bytes in the decoded string, on character
	// boundaries. Both 0: the whole value.
	Start, End int
}

// Finding is one reason for a verdict. It must not repeat the matched text.
type Finding struct {
	// Rule is the stable id of the rule that matched, for example "acme/card".
	// Required: 1 to 128 bytes of printable ASCII.
	Rule string
	// Category is a dotted lower-case name such as "secret.aws_key", at most 64
	// bytes of a-z, 0-9, _ and dots between. Required.
	Category string
	Severity Severity
	// Confidence is 0 to 1; 0 means not stated.
	Confidence float64
	// Message is one sentence for the people who run the relay. What exceeds
	// 1024 bytes is cut off.
	Message  string
	Location Location
	// Redact asks to replace what Location names. The relay makes the text from
	// Category, for example [redacted:secret.aws_key#1]. Only values that are
	// strings can be replaced: anything else is blocked instead, so return Block
	// for a finding in the name of a member.
	Redact bool
	// Replacement is text to write instead of the relay's own, at most 64 KiB.
	// The relay uses it only when its configuration says may_rewrite for this
	// scanner. Empty: the relay's text.
	Replacement string
}

// Uninspected names a part of the content that a scanner did not look at.
type Uninspected struct {
	Pointer string // JSON Pointer; empty means the whole content
	Reason  string // for example "media type", "size" or "depth"; required
}

// Verdict is a scanner's judgement of one content. The zero value is invalid.
// There may be up to 1000 findings and up to 1000 uninspected parts.
type Verdict struct {
	Action      Action
	Findings    []Finding
	Uninspected []Uninspected
	// Reference is the scanner's own id of this scan, for example a report id, at
	// most 256 bytes. Optional.
	Reference string
	// Link is where people find more about this scan, for example its report in a
	// console: an https address of printable ASCII, at most 1024 bytes. It
	// ends up in the relay's records, so it must hold no content and no secret.
	// Optional.
	Link string
}

// Allow lets the content pass.
func Allow() Verdict { return Verdict{Action: ActionAllow} }

// Flag lets the content pass and records the findings as a warning.
func Flag(findings ...Finding) Verdict {
	return Verdict{Action: ActionFlag, Findings: findings}
}

// Redact replaces what the findings with Redact set locate, at least one, and
// lets the rest pass.
func Redact(findings ...Finding) Verdict {
	return Verdict{Action: ActionRedact, Findings: findings}
}

// Block refuses the content.
func Block(findings ...Finding) Verdict {
	return Verdict{Action: ActionBlock, Findings: findings}
}
