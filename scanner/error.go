package scanner

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Reason says why there is no verdict.
type Reason uint8

// The reasons. The zero value is treated like ReasonInternal.
const (
	ReasonUnspecified Reason = iota
	// ReasonRateLimited: an upstream quota is used up. Set Error.RetryAfter, and
	// Error.ContentCaused when the content's own server or session used up its share.
	ReasonRateLimited
	// ReasonUnavailable: an upstream cannot be reached.
	ReasonUnavailable
	// ReasonUnauthenticated: an upstream refused the credentials.
	ReasonUnauthenticated
	// ReasonNotConfigured: the scanner waits for its configuration.
	ReasonNotConfigured
	// ReasonUnsupported: this content cannot be judged. Always caused by the
	// content.
	ReasonUnsupported
	// ReasonTooLarge: the content is too large to be judged. Always caused by the
	// content.
	ReasonTooLarge
	// ReasonTimeout: judging took too long. Always caused by the content.
	ReasonTimeout
	// ReasonInternal: anything else.
	ReasonInternal
)

// String returns the reason's name.
func (r Reason) String() string {
	switch r {
	case ReasonRateLimited:
		return "rate_limited"
	case ReasonUnavailable:
		return "unavailable"
	case ReasonUnauthenticated:
		return "unauthenticated"
	case ReasonNotConfigured:
		return "not_configured"
	case ReasonUnsupported:
		return "unsupported"
	case ReasonTooLarge:
		return "too_large"
	case ReasonTimeout:
		return "timeout"
	default:
		return "internal"
	}
}

// Error says why there is no verdict. Scan returns a pointer to one, alone or
// wrapped.
type Error struct {
	Reason Reason
	// Message is one sentence for the people who run the relay, without content
	// and secrets. What exceeds 1024 bytes is cut off.
	Message string
	// RetryAfter is set when it is not worth trying before that time has passed.
	RetryAfter time.Duration
	// ContentCaused is set when this content made the scanner fail and other
	// content would not. Such a failure blocks even where the relay's policy lets
	// content pass during an outage, because its author chose the content.
	ContentCaused bool
}

var _ error = (*Error)(nil)

// Error returns the reason and the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Reason.String()
	}
	return e.Reason.String() + ": " + e.Message
}

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Pointer string // JSON Pointer of the member; empty: the configuration as a whole
	Message string // what is wrong and what to write instead, without quoting a value
}

// Problems is everything that is wrong with a configuration. A Configurer
// returns it as its error.
type Problems []Problem

var _ error = Problems(nil)

// Error lists the problems, one per line.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		if p.Pointer != "" {
			fmt.Fprintf(&b, "%s: ", strconv.Quote(p.Pointer))
		}
		b.WriteString(p.Message)
	}
	return b.String()
}
