package scanner

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// verdictTo converts a scanner's verdict. It refuses what the wire cannot carry
// and what can only be a mistake of the scanner's author; everything else is for
// the relay to check, which does not trust this process.
func verdictTo(v Verdict) (*scannerv1.Verdict, error) {
	p := &scannerv1.Verdict{Action: actionTo(v.Action), Reference: valid(v.Reference), Link: valid(v.Link)}
	if p.GetAction() == scannerv1.Action_ACTION_UNSPECIFIED {
		return nil, invalidVerdict("it has no action: make it with Allow, Flag, Redact or Block")
	}
	edits := slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Redact })
	if v.Action == ActionRedact && !edits {
		return nil, invalidVerdict("it asks for redaction, but no finding has Redact set")
	}
	if v.Action == ActionAllow && edits {
		return nil, invalidVerdict("it allows, but a finding has Redact set")
	}
	if len(v.Findings) > handshake.MaxFindings || len(v.Uninspected) > handshake.MaxFindings {
		return nil, invalidVerdict("it has more than 1000 findings or uninspected parts")
	}
	for _, f := range v.Findings {
		if f.Rule == "" || f.Category == "" {
			return nil, invalidVerdict("a finding lacks its rule or category")
		}
		l := f.Location
		if l.Start < 0 || l.End < l.Start || l.End > math.MaxInt32 {
			return nil, invalidVerdict("the range of a finding is negative or backwards")
		}
		p.Findings = append(p.Findings, findingTo(f))
	}
	for _, u := range v.Uninspected {
		p.Uninspected = append(p.Uninspected, &scannerv1.Uninspected{Pointer: valid(u.Pointer), Reason: valid(u.Reason)})
	}
	return p, nil
}

func findingTo(f Finding) *scannerv1.Finding {
	p := &scannerv1.Finding{
		Rule:       valid(f.Rule),
		Category:   valid(f.Category),
		Severity:   severityTo(f.Severity),
		Confidence: f.Confidence,
		Message:    clip(f.Message),
	}
	if l := f.Location; l != (Location{}) {
		//nolint:gosec // verdictTo has checked the range of both
		p.Location = &scannerv1.Location{Pointer: valid(l.Pointer), Start: uint32(l.Start), End: uint32(l.End)}
	}
	if f.Redact {
		p.Edit = &scannerv1.Edit{}
		if f.Replacement != "" {
			text := valid(f.Replacement)
			p.Edit.Replacement = &text
		}
	}
	return p
}

func actionTo(a Action) scannerv1.Action {
	switch a {
	case ActionAllow:
		return scannerv1.Action_ACTION_ALLOW
	case ActionFlag:
		return scannerv1.Action_ACTION_FLAG
	case ActionRedact:
		return scannerv1.Action_ACTION_REDACT
	case ActionBlock:
		return scannerv1.Action_ACTION_BLOCK
	default:
		return scannerv1.Action_ACTION_UNSPECIFIED
	}
}

func severityTo(s Severity) scannerv1.Severity {
	switch s {
	case SeverityInfo:
		return scannerv1.Severity_SEVERITY_INFO
	case SeverityLow:
		return scannerv1.Severity_SEVERITY_LOW
	case SeverityMedium:
		return scannerv1.Severity_SEVERITY_MEDIUM
	case SeverityHigh:
		return scannerv1.Severity_SEVERITY_HIGH
	case SeverityCritical:
		return scannerv1.Severity_SEVERITY_CRITICAL
	default:
		return scannerv1.Severity_SEVERITY_UNSPECIFIED
	}
}

// invalidVerdict counts as caused by the content, like every failure that only
// shows once the content is in the scanner.
func invalidVerdict(message string) *Error {
	return &Error{Reason: ReasonInternal, Message: "the verdict is invalid: " + message, ContentCaused: true}
}

// valid makes a string that the wire can carry.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// clip makes a text for people fit its limit, at a character.
func clip(s string) string {
	s = valid(s)
	if len(s) <= handshake.MaxText {
		return s
	}
	end := handshake.MaxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
