package plugin

import (
	"testing"

	"github.com/mcp-relay/relay/internal/verdict"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// A server that used up its own share must not profit from it, nor may that look
// as if the scanner failed.
func TestRateLimitedFailures(t *testing.T) {
	limited := scannerv1.Reason_REASON_RATE_LIMITED
	f, o := scanFailure(&scannerv1.ScanError{Reason: limited})
	if f.Cause != verdict.CauseOutage || o != outage || f.Reason != "rate_limited" {
		t.Errorf("the quota: %v, %v", f, o)
	}
	f, o = scanFailure(&scannerv1.ScanError{Reason: limited, ContentCaused: true})
	if f.Cause != verdict.CauseContent || o != success || f.Reason != "rate_limited" {
		t.Errorf("a share: %v, %v", f, o)
	}
}
