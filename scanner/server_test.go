package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"
	"github.com/mcp-relay/relay/scanner/scannertest"
)

// scanFunc is a scanner that is one function.
type scanFunc func(ctx context.Context, c scanner.Content) (scanner.Verdict, error)

func (f scanFunc) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
	return f(ctx, c)
}

func text(s string) scanner.Content {
	return scanner.Content{Phase: scanner.PhaseRequest, Kind: scanner.KindText, Data: []byte(s)}
}

func finding() scanner.Finding {
	return scanner.Finding{
		Rule: "acme/x", Category: "secret.x", Severity: scanner.SeverityHigh, Confidence: 0.5, Message: "an x",
		Location: scanner.Location{Pointer: "/a", Start: 1, End: 2}, Redact: true, Replacement: "y",
	}
}

func TestContentAndVerdictTravel(t *testing.T) {
	sent := scanner.Content{
		Phase: scanner.PhaseResponse, Kind: scanner.KindJSON, MIME: "application/json", Data: []byte(`{"a":"xyz"}`),
		Origin: scanner.Origin{
			Session: "s", Principal: "p", Client: "c", Server: "v", Method: "m", Target: "t", ProtocolVersion: "r", Call: "k",
		},
		Request: []byte(`{"q":`), RequestTruncated: true,
	}
	given := scanner.Redact(finding())
	given.Uninspected = []scanner.Uninspected{{Pointer: "/b", Reason: "size"}}
	given.Reference, given.Link = "report-1", "https://console.example/r/1"
	var got string
	c := scannertest.New(t, scanFunc(func(_ context.Context, c scanner.Content) (scanner.Verdict, error) {
		got = fmt.Sprintf("%+v", c)
		return given, nil
	}))
	v, err := c.Scan(t.Context(), sent)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%+v", sent); got != want {
		t.Errorf("content: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprintf("%+v", v), fmt.Sprintf("%+v", given); got != want {
		t.Errorf("verdict: got %s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("ü", handshake.MaxText)
	for name, test := range map[string]struct{ given, want error }{
		"typed": {
			&scanner.Error{Reason: scanner.ReasonRateLimited, Message: "slow down", RetryAfter: time.Minute},
			&scanner.Error{Reason: scanner.ReasonRateLimited, Message: "slow down", RetryAfter: time.Minute},
		},
		"wrapped": {
			fmt.Errorf("ask: %w", &scanner.Error{Reason: scanner.ReasonUnauthenticated}),
			&scanner.Error{Reason: scanner.ReasonUnauthenticated},
		},
		"always the content's": {
			&scanner.Error{Reason: scanner.ReasonTooLarge},
			&scanner.Error{Reason: scanner.ReasonTooLarge, ContentCaused: true},
		},
		"unknown reason": {
			&scanner.Error{Reason: 99, Message: "a\xffb"},
			&scanner.Error{Reason: scanner.ReasonInternal, Message: "a\uFFFDb"},
		},
		"any other": {
			errors.New("broken"),
			&scanner.Error{Reason: scanner.ReasonInternal, Message: "broken", ContentCaused: true},
		},
		"deadline": {
			fmt.Errorf("ask: %w", context.DeadlineExceeded),
			&scanner.Error{Reason: scanner.ReasonTimeout, Message: "ask: context deadline exceeded", ContentCaused: true},
		},
		"long": {
			&scanner.Error{Reason: scanner.ReasonUnavailable, Message: "x" + long},
			&scanner.Error{Reason: scanner.ReasonUnavailable, Message: "x" + long[:handshake.MaxText-2]},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := scannertest.New(t, scanFunc(func(context.Context, scanner.Content) (scanner.Verdict, error) {
				return scanner.Allow(), test.given
			}))
			_, err := c.Scan(t.Context(), text("x"))
			e, _ := errors.AsType[*scanner.Error](err)
			if got, want := fmt.Sprintf("%#v", e), fmt.Sprintf("%#v", test.want); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestPanicFailsOneCall(t *testing.T) {
	c := scannertest.New(t, scanFunc(func(_ context.Context, c scanner.Content) (scanner.Verdict, error) {
		if string(c.Data) == "boom" {
			panic("content of " + string(c.Data))
		}
		return scanner.Allow(), nil
	}))
	_, err := c.Scan(t.Context(), text("boom"))
	e, ok := errors.AsType[*scanner.Error](err)
	if !ok || e.Reason != scanner.ReasonInternal || !e.ContentCaused || strings.Contains(e.Message, "boom") {
		t.Errorf("got %#v", err)
	}
	if v, err := c.Scan(t.Context(), text("x")); err != nil || v.Action != scanner.ActionAllow {
		t.Errorf("after the panic: %v, %v", v, err)
	}
}

func TestInvalidVerdicts(t *testing.T) {
	change := func(f func(*scanner.Finding)) scanner.Verdict {
		one := finding()
		f(&one)
		return scanner.Redact(one)
	}
	for name, v := range map[string]scanner.Verdict{
		"zero":              {},
		"unknown action":    {Action: 99},
		"redact nothing":    scanner.Redact(),
		"redact no edit":    change(func(f *scanner.Finding) { f.Redact = false }),
		"allow an edit":     {Action: scanner.ActionAllow, Findings: []scanner.Finding{finding()}},
		"no rule":           change(func(f *scanner.Finding) { f.Rule = "" }),
		"no category":       change(func(f *scanner.Finding) { f.Category = "" }),
		"negative":          change(func(f *scanner.Finding) { f.Location.Start = -1 }),
		"backwards":         change(func(f *scanner.Finding) { f.Location.Start = 3 }),
		"beyond the wire":   change(func(f *scanner.Finding) { f.Location.End = 1 << 40 }),
		"too many findings": scanner.Flag(slices.Repeat([]scanner.Finding{finding()}, handshake.MaxFindings+1)...),
	} {
		t.Run(name, func(t *testing.T) {
			c := scannertest.New(t, scanFunc(func(context.Context, scanner.Content) (scanner.Verdict, error) { return v, nil }))
			got, err := c.Scan(t.Context(), text("x"))
			e, ok := errors.AsType[*scanner.Error](err)
			if !ok || e.Reason != scanner.ReasonInternal || !e.ContentCaused {
				t.Errorf("got %v, %#v, want an error that the content caused", got, err)
			}
		})
	}
}

// picky judges definitions as JSON only.
type picky struct{ scanFunc }

func (picky) Describe() scanner.Info {
	return scanner.Info{
		Name: "picky", Phases: []scanner.Phase{scanner.PhaseDefinition}, Kinds: []scanner.Kind{scanner.KindJSON},
	}
}

func TestContentThatNoScannerSees(t *testing.T) {
	s := picky{func(context.Context, scanner.Content) (scanner.Verdict, error) { return scanner.Allow(), nil }}
	c := scannertest.New(t, s)
	good := scanner.Content{Phase: scanner.PhaseDefinition, Kind: scanner.KindJSON, Data: []byte(`{"tools":[]}`)}
	if _, err := c.Scan(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*scanner.Content)
		want   scanner.Reason
	}{
		"another phase":    {func(c *scanner.Content) { c.Phase = scanner.PhaseRequest }, scanner.ReasonUnsupported},
		"another kind":     {func(c *scanner.Content) { c.Kind = scanner.KindText }, scanner.ReasonUnsupported},
		"too large":        {func(c *scanner.Content) { c.Data = make([]byte, handshake.MaxContent+1) }, scanner.ReasonTooLarge},
		"too much request": {func(c *scanner.Content) { c.Request = make([]byte, handshake.MaxRequest+1) }, scanner.ReasonTooLarge},
	} {
		content := good
		test.change(&content)
		_, err := c.Scan(t.Context(), content)
		if e, ok := errors.AsType[*scanner.Error](err); !ok || e.Reason != test.want || !e.ContentCaused {
			t.Errorf("%s: got %#v, want reason %v, caused by the content", name, err, test.want)
		}
	}
}

func TestMessagesUpToTheirLimitTravel(t *testing.T) {
	c := scannertest.New(t, scanFunc(func(_ context.Context, c scanner.Content) (scanner.Verdict, error) {
		f := finding()
		f.Replacement = strings.Repeat("x", handshake.MaxReplacement)
		return scanner.Redact(slices.Repeat([]scanner.Finding{f}, 300)...), nil
	}))
	content := text(strings.Repeat("x", handshake.MaxContent))
	content.Request = make([]byte, handshake.MaxRequest)
	if _, err := c.Scan(t.Context(), content); err != nil {
		t.Error(err)
	}
}

// drained counts its drains.
type drained struct {
	scanFunc

	n int
}

func (d *drained) Drain(context.Context) error {
	d.n++
	return nil
}

func TestDrainsOnce(t *testing.T) {
	s := &drained{scanFunc: allow}
	c := scannertest.New(t, s)
	for range 2 {
		if err := c.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if s.n != 1 {
		t.Errorf("drained %d times, want once", s.n)
	}
}
