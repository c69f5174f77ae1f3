package scan

import (
	"context"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Scanner judges content within a time of its own, and returns soon after ctx
// ends. The error is always a *verdict.Failure.
type Scanner interface {
	Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error)
}

// Rule is a check of the relay's own, beside the scanners. It judges every
// message that has content, also that of a server which is exempt from scanning,
// and no mode of a scanner turns it off: any finding blocks. Judge runs before
// anything else, on the goroutine that brings the message, so it is quick and
// waits for nobody.
type Rule interface {
	Name() string
	Judge(s *Subject) []verdict.Finding
}

// Mode says what a scanner's word counts.
type Mode uint8

// The modes.
const (
	Enforce Mode = iota // verdicts decide
	Observe             // verdicts are recorded, and everything passes
	Off                 // it is not asked, except in another scanner's place
)

var modeNames = [...]string{"enforce", "observe", "off"}

// OnOutage says what happens when a scanner cannot work, through no fault of
// the content.
type OnOutage uint8

// The choices.
const (
	OutageBlocks   OnOutage = iota
	OutagePasses            // the content passes without this scanner
	OutageFallback          // Policy.Fallback judges instead
)

// Uninspected says what becomes of parts that no scanner could inspect. Of two
// that apply, the greater one does.
type Uninspected uint8

// The choices, in the order of their strictness.
const (
	UninspectedUnset Uninspected = iota // as the panel says; of a panel: auto
	UninspectedAllow                    // the part passes
	UninspectedFlag                     // the part passes; the record says so
	UninspectedAuto                     // text is judged as text, images and sound are flagged, anything else blocks
	UninspectedStrip                    // the part is taken out where that is possible, else it blocks
	UninspectedBlock                    // the content is blocked
)

// Terms are what a scanner's word counts for some content. The zero value is
// the strictest.
type Terms struct {
	Mode Mode
	// Threshold is the severity from which on a finding stops content: a verdict
	// whose findings are all known to be weaker only flags. Unspecified: every
	// verdict counts as it is.
	Threshold verdict.Severity
	OnOutage  OnOutage
	// Timeout bounds one scan. 0: the scanner's own limit does.
	Timeout     time.Duration
	Uninspected Uninspected
}

// Policy says what a scanner judges and what its word counts. Its functions may
// be called by many goroutines and depend on nothing but their arguments.
type Policy struct {
	Name   string
	Digest func() string // SHA-256 of the scanner's binary, for the audit record; nil: none

	// Covers reports whether the scanner judges a phase of a server. nil: always.
	Covers func(server string, phase verdict.Phase) bool
	// Stage says when the scanner judges: those of one stage at the same time,
	// later ones only what earlier ones left. known is false as long as it may
	// change. nil: 0.
	Stage func() (stage int, known bool)

	// Terms hold for everything when Effective is nil.
	Terms
	// Effective returns the terms for content with this target.
	Effective func(server, target string, phase verdict.Phase) Terms
	// ByTarget reports whether targets make a difference to Effective in a phase
	// of a server. nil: they do not.
	ByTarget func(server string, phase verdict.Phase) bool
	// Enforces reports whether the scanner enforces a phase of a server, but for
	// single targets. Content that no scanner enforces passes where one does so
	// in general: somebody decided that. nil: what Terms say.
	Enforces func(server string, phase verdict.Phase) bool

	// Fallback names the member that judges instead, with OutageFallback.
	Fallback string
	// Away reports that the scanner ended and is not back yet: then nobody waits
	// for it who has a fallback. nil: never.
	Away func() bool
	// ReadsMedia reports whether the scanner looks into images, sound and binary
	// data that stand encoded in JSON, and names what it does not look into. nil:
	// it does not.
	ReadsMedia func() bool
	// Limit is how long a scan of this scanner lasts at most. 0: not known.
	Limit time.Duration
	// AllowOnContentFailure lets content pass that made the scanner fail. It
	// hands the decision to whoever wrote the content.
	AllowOnContentFailure bool
	// RedactRequests applies redactions to requests; otherwise a redact verdict
	// blocks a request, because an edited call does something else.
	RedactRequests bool
}

// Member is a scanner with its policy.
type Member struct {
	Policy
	Scanner Scanner
}

func (p *Policy) covers(server string, phase verdict.Phase) bool {
	return p.Covers == nil || p.Covers(server, phase)
}

func (p *Policy) effective(server, target string, phase verdict.Phase) Terms {
	if p.Effective == nil {
		return p.Terms
	}
	return p.Effective(server, target, phase)
}

func (p *Policy) byTarget(server string, phase verdict.Phase) bool {
	return p.ByTarget != nil && p.ByTarget(server, phase)
}

func (p *Policy) enforces(server string, phase verdict.Phase) bool {
	if p.Enforces == nil {
		return p.effective(server, "", phase).Mode == Enforce
	}
	return p.Enforces(server, phase)
}

func (p *Policy) stage() (stage int, known bool) {
	if p.Stage == nil {
		return 0, true
	}
	return p.Stage()
}

// Exception says that some findings do not count. Its methods may be called by
// many goroutines.
type Exception interface {
	// Concerns reports whether it can except a finding of a scanner in a phase
	// of a server.
	Concerns(scanner, server string, phase verdict.Phase) bool
	// Excepts reports whether it excepts one: of a rule, about a target (in a
	// catalogue, the item's name), at the place that a JSON Pointer names.
	Excepts(rule, target, pointer string, now time.Time) bool
}
