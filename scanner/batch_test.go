package scanner_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/scannertest"
)

// batcher allows what it is given, except for what says otherwise.
type batcher struct{ scanFunc }

func (batcher) ScanBatch(_ context.Context, cs []scanner.Content) []scanner.Result {
	results := make([]scanner.Result, len(cs))
	for i, c := range cs {
		switch string(c.Data) {
		case "fail":
			results[i].Err = &scanner.Error{Reason: scanner.ReasonUnavailable}
		case "nothing":
		case "short":
			return results[:i]
		default:
			results[i].Verdict = scanner.Allow()
		}
	}
	return results
}

func TestScanBatch(t *testing.T) {
	c := scannertest.New(t, batcher{allow})
	bad := text("x")
	bad.Phase = 0
	results, err := c.ScanBatch(t.Context(), []scanner.Content{text("x"), bad, text("fail"), text("nothing"), text("y")})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []scanner.Reason{0, scanner.ReasonUnsupported, scanner.ReasonUnavailable, scanner.ReasonInternal, 0} {
		e, failed := errors.AsType[*scanner.Error](results[i].Err)
		if failed != (want != 0) || failed && e.Reason != want || !failed && results[i].Verdict.Action != scanner.ActionAllow {
			t.Errorf("item %d: got %+v, want reason %v", i, results[i], want)
		}
	}
	for name, cs := range map[string][]scanner.Content{
		"none": {}, "too many": make([]scanner.Content, 257), "fewer results": {text("x"), text("short")},
	} {
		if _, err := c.ScanBatch(t.Context(), cs); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if results, err := c.ScanBatch(t.Context(), []scanner.Content{bad}); err != nil || results[0].Err == nil {
		t.Errorf("only bad items: %v, %v", results, err)
	}
	if _, err := scannertest.New(t, scanFunc(allow)).ScanBatch(t.Context(), []scanner.Content{text("x")}); err == nil {
		t.Error("a scanner without ScanBatch judged a batch")
	}
}
