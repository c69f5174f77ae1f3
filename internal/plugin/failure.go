package plugin

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/verdict"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// The reasons of failures that arise here. A scanner's own ScanError adds those
// of the contract: rate_limited, unavailable, unauthenticated, not_configured,
// unsupported, too_large, timeout, internal.
const (
	ReasonOversize       = "oversize"        // the content, or the scanner's answer, is above the limit
	ReasonUnsupported    = "unsupported"     // the scanner does not judge this phase or kind
	ReasonTimeout        = "timeout"         // no answer in time
	ReasonCancelled      = "cancelled"       // nobody waits for the verdict any more
	ReasonOverloaded     = "overloaded"      // no slot in time, or too many scans wait
	ReasonCrash          = "crash"           // the scanner ended while it judged this content
	ReasonConvicted      = "convicted"       // this content crashed the scanner before
	ReasonQuarantined    = "quarantined"     // this server's content crashed the scanner too often
	ReasonBreaker        = "breaker_open"    // the scanner keeps failing for this server
	ReasonInvalidVerdict = "invalid_verdict" // the answer is no verdict on this content
	ReasonUnavailable    = "unavailable"     // the scanner does not run, or cannot be reached
	ReasonInternal       = "internal"        // anything else
)

func contentFailure(reason string, err error) *verdict.Failure {
	return &verdict.Failure{Reason: reason, Cause: verdict.CauseContent, Err: err}
}

func outageFailure(reason string, err error) *verdict.Failure {
	return &verdict.Failure{Reason: reason, Cause: verdict.CauseOutage, Err: err}
}

// waitFailure describes the end of a scan's time while the content was not in
// the scanner.
func waitFailure(ctx context.Context, reason string, cause verdict.Cause) *verdict.Failure {
	if errors.Is(ctx.Err(), context.Canceled) {
		return contentFailure(ReasonCancelled, ctx.Err())
	}
	return &verdict.Failure{Reason: reason, Cause: cause, Err: ctx.Err()}
}

// callFailure describes the error of a call whose process is alive. The detail
// decides, then the code, and only where the code can only have come from the
// scanner: a connection that breaks over a content is that content's doing.
func (g *generation) callFailure(ctx context.Context, err error) (*verdict.Failure, outcome) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return contentFailure(ReasonCancelled, ctx.Err()), neutral
	}
	s := status.Convert(err)
	for _, detail := range s.Details() {
		if e, ok := detail.(*scannerv1.ScanError); ok {
			return scanFailure(e)
		}
	}
	switch s.Code() {
	case codes.DeadlineExceeded:
		g.suspect()
		return contentFailure(ReasonTimeout, errors.New("no answer in time")), timeout
	case codes.ResourceExhausted:
		return contentFailure(ReasonOversize, errors.New("the answer is larger than the limit")), byContent
	case codes.Unauthenticated, codes.PermissionDenied, codes.FailedPrecondition:
		return outageFailure(ReasonUnavailable, codeError(s)), outage
	case codes.Unavailable:
		if g.conn.GetState() == connectivity.Ready {
			return outageFailure(ReasonUnavailable, codeError(s)), outage
		}
	default:
	}
	g.suspect()
	return contentFailure(ReasonInternal, codeError(s)), byContent
}

// codeError describes a status by its code: its text is foreign.
func codeError(s *status.Status) error {
	return fmt.Errorf("the call failed with %s", s.Code())
}

// scanFailure converts what a scanner says about its own failure.
func scanFailure(e *scannerv1.ScanError) (*verdict.Failure, outcome) {
	detail := errors.New(printable.Escape(e.GetMessage(), printable.MaxBytes))
	by := outage
	f := outageFailure(ReasonInternal, detail)
	switch e.GetReason() {
	case scannerv1.Reason_REASON_RATE_LIMITED:
		f.Reason = "rate_limited"
		if e.GetContentCaused() { // a share of its own is used up: it answers others
			return contentFailure(f.Reason, detail), success
		}
	case scannerv1.Reason_REASON_UNAVAILABLE:
		f.Reason = ReasonUnavailable
	case scannerv1.Reason_REASON_UNAUTHENTICATED:
		f.Reason = "unauthenticated"
	case scannerv1.Reason_REASON_NOT_CONFIGURED:
		f.Reason = "not_configured"
	case scannerv1.Reason_REASON_UNSUPPORTED: // it answered, and answers others
		return contentFailure(ReasonUnsupported, detail), success
	case scannerv1.Reason_REASON_TOO_LARGE:
		return contentFailure("too_large", detail), success
	case scannerv1.Reason_REASON_TIMEOUT:
		return contentFailure(ReasonTimeout, detail), timeout
	default:
	}
	if e.GetContentCaused() {
		f.Cause, by = verdict.CauseContent, byContent
	}
	return f, by
}
