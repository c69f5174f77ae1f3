package conformance

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mcp-relay/relay/scanner"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// The numbers of phases, kinds, severities and reasons are the same on both
// sides; a test of package scanner holds them together. Actions differ.

func contentTo(c scanner.Content) *scannerv1.Content {
	var inventory []*scannerv1.OfferedTool
	for _, o := range c.Inventory {
		inventory = append(inventory, &scannerv1.OfferedTool{Server: o.Server, Name: o.Name})
	}
	return &scannerv1.Content{
		Inventory: inventory,
		Phase:     scannerv1.Phase(c.Phase),
		Kind:      scannerv1.Kind(c.Kind),
		Mime:      c.MIME,
		Data:      c.Data,
		Origin: &scannerv1.Origin{
			Session:         c.Origin.Session,
			Principal:       c.Origin.Principal,
			Client:          c.Origin.Client,
			Server:          c.Origin.Server,
			Method:          c.Origin.Method,
			Target:          c.Origin.Target,
			ProtocolVersion: c.Origin.ProtocolVersion,
			Call:            c.Origin.Call,
		},
		Request:          c.Request,
		RequestTruncated: c.RequestTruncated,
	}
}

func verdictFrom(p *scannerv1.Verdict) scanner.Verdict {
	v := scanner.Verdict{Action: actionFrom(p.GetAction()), Reference: p.GetReference(), Link: p.GetLink()}
	for _, f := range p.GetFindings() {
		v.Findings = append(v.Findings, scanner.Finding{
			Rule:       f.GetRule(),
			Category:   f.GetCategory(),
			Severity:   enum[scanner.Severity](f.GetSeverity()),
			Confidence: f.GetConfidence(),
			Message:    f.GetMessage(),
			Location: scanner.Location{
				Pointer: f.GetLocation().GetPointer(),
				Start:   int(f.GetLocation().GetStart()),
				End:     int(f.GetLocation().GetEnd()),
			},
			Redact:      f.GetEdit() != nil,
			Replacement: f.GetEdit().GetReplacement(),
		})
	}
	for _, u := range p.GetUninspected() {
		v.Uninspected = append(v.Uninspected, scanner.Uninspected{Pointer: u.GetPointer(), Reason: u.GetReason()})
	}
	return v
}

func actionFrom(a scannerv1.Action) scanner.Action {
	switch a {
	case scannerv1.Action_ACTION_ALLOW:
		return scanner.ActionAllow
	case scannerv1.Action_ACTION_FLAG:
		return scanner.ActionFlag
	case scannerv1.Action_ACTION_REDACT:
		return scanner.ActionRedact
	case scannerv1.Action_ACTION_BLOCK:
		return scanner.ActionBlock
	default:
		return scanner.ActionUnspecified
	}
}

// callError is the error of a failed call.
type callError struct {
	cause    *scanner.Error
	detailed bool // the scanner said why, or had no chance to
}

func (e *callError) Error() string { return e.cause.Error() }
func (e *callError) Unwrap() error { return e.cause }

// errorFrom turns a call's status into the error that the scanner returned, as
// far as the wire carries it.
func errorFrom(err error) error {
	s := status.Convert(err)
	for _, detail := range s.Details() {
		if p, ok := detail.(*scannerv1.ScanError); ok {
			return &callError{cause: scanErrorFrom(p), detailed: true}
		}
	}
	cause := &scanner.Error{Reason: scanner.ReasonInternal, Message: s.Message()}
	e := &callError{cause: cause}
	switch s.Code() {
	case codes.DeadlineExceeded, codes.Canceled:
		cause.Reason, cause.ContentCaused, e.detailed = scanner.ReasonTimeout, true, true
	case codes.Unimplemented:
		cause.Reason, e.detailed = scanner.ReasonUnsupported, true
	case codes.Unavailable:
		cause.Reason = scanner.ReasonUnavailable
	default:
	}
	return e
}

func scanErrorFrom(p *scannerv1.ScanError) *scanner.Error {
	e := &scanner.Error{Reason: enum[scanner.Reason](p.GetReason()), Message: p.GetMessage(), ContentCaused: p.GetContentCaused()}
	if p.GetRetryAfter() != nil {
		e.RetryAfter = p.GetRetryAfter().AsDuration()
	}
	return e
}

func infoFrom(p *scannerv1.DescribeResponse) scanner.Info {
	info := scanner.Info{
		Name:          p.GetName(),
		Version:       p.GetVersion(),
		ConfigSchema:  []byte(p.GetConfigSchema()),
		Deterministic: p.GetDeterministic(),
		MaxConcurrent: int(p.GetMaxConcurrent()),
		NeedsNetwork:  p.GetNeedsNetwork(),
		SelfContained: p.GetSelfContained(),
		UsesInventory: p.GetUsesInventory(),
	}
	for _, phase := range p.GetPhases() {
		info.Phases = append(info.Phases, enum[scanner.Phase](phase))
	}
	for _, kind := range p.GetKinds() {
		info.Kinds = append(info.Kinds, enum[scanner.Kind](kind))
	}
	return info
}

// enum converts a number of the wire; one that is out of range is unspecified.
func enum[T ~uint8, P ~int32](p P) T {
	if p < 0 || p > 0xff {
		return 0
	}
	return T(p)
}
