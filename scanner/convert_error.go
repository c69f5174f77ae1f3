package scanner

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// errorTo converts what a scanner returned. An error that does not say whose
// fault it is counts as the content's, the stricter reading.
func errorTo(err error) *scannerv1.ScanError {
	if e, ok := errors.AsType[*Error](err); ok {
		p := &scannerv1.ScanError{Reason: reasonTo(e.Reason), Message: clip(e.Message), ContentCaused: e.ContentCaused}
		switch e.Reason {
		case ReasonUnsupported, ReasonTooLarge, ReasonTimeout:
			p.ContentCaused = true
		default:
		}
		if e.RetryAfter > 0 {
			p.RetryAfter = durationpb.New(e.RetryAfter)
		}
		return p
	}
	p := &scannerv1.ScanError{Reason: scannerv1.Reason_REASON_INTERNAL, Message: clip(err.Error()), ContentCaused: true}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		p.Reason = scannerv1.Reason_REASON_TIMEOUT
	}
	return p
}

// statusTo makes the status of a failed call. Its text is only the reason: the
// relay reads the detail.
func statusTo(err error) error {
	p := errorTo(err)
	code, text := codeOf(p.GetReason())
	s, detailErr := status.New(code, text).WithDetails(p)
	if detailErr != nil {
		return status.Error(code, text)
	}
	return s.Err()
}

func reasonTo(r Reason) scannerv1.Reason {
	switch r {
	case ReasonRateLimited:
		return scannerv1.Reason_REASON_RATE_LIMITED
	case ReasonUnavailable:
		return scannerv1.Reason_REASON_UNAVAILABLE
	case ReasonUnauthenticated:
		return scannerv1.Reason_REASON_UNAUTHENTICATED
	case ReasonNotConfigured:
		return scannerv1.Reason_REASON_NOT_CONFIGURED
	case ReasonUnsupported:
		return scannerv1.Reason_REASON_UNSUPPORTED
	case ReasonTooLarge:
		return scannerv1.Reason_REASON_TOO_LARGE
	case ReasonTimeout:
		return scannerv1.Reason_REASON_TIMEOUT
	default:
		return scannerv1.Reason_REASON_INTERNAL
	}
}

func codeOf(r scannerv1.Reason) (codes.Code, string) {
	switch r {
	case scannerv1.Reason_REASON_RATE_LIMITED:
		return codes.ResourceExhausted, "rate limited"
	case scannerv1.Reason_REASON_UNAVAILABLE:
		return codes.Unavailable, "unavailable"
	case scannerv1.Reason_REASON_UNAUTHENTICATED:
		return codes.Unauthenticated, "unauthenticated"
	case scannerv1.Reason_REASON_NOT_CONFIGURED:
		return codes.FailedPrecondition, "not configured"
	case scannerv1.Reason_REASON_UNSUPPORTED:
		return codes.InvalidArgument, "unsupported"
	case scannerv1.Reason_REASON_TOO_LARGE:
		return codes.OutOfRange, "too large"
	case scannerv1.Reason_REASON_TIMEOUT:
		return codes.DeadlineExceeded, "timeout"
	default:
		return codes.Internal, "internal"
	}
}
