//go:build unix

package plugin

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	for _, test := range []struct {
		command, reason string
		cause           verdict.Cause
	}{
		{"wrong-id", ReasonInvalidVerdict, verdict.CauseContent},
		{"no-verdict", ReasonInvalidVerdict, verdict.CauseContent},
		{"unknown-action", ReasonInvalidVerdict, verdict.CauseContent},
		{"no-action", ReasonInvalidVerdict, verdict.CauseContent},
		{"edit-outside", ReasonInvalidVerdict, verdict.CauseContent},
		{"oversize", ReasonOversize, verdict.CauseContent},
		{"error 1", "rate_limited", verdict.CauseOutage},
		{"error 2", "unavailable", verdict.CauseOutage},
		{"error 3", "unauthenticated", verdict.CauseOutage},
		{"error 4", "not_configured", verdict.CauseOutage},
		{"error 5", "unsupported", verdict.CauseContent},
		{"error 6", "too_large", verdict.CauseContent},
		{"error 7", "timeout", verdict.CauseContent},
		{"error 8", "internal", verdict.CauseOutage},
		{"error 99", "internal", verdict.CauseOutage},
		{"status 2", "internal", verdict.CauseContent},
		{"status 13", "internal", verdict.CauseContent},
		{"status 14", "unavailable", verdict.CauseOutage},
		{"status 16", "unavailable", verdict.CauseOutage},
	} {
		v, err := s.Scan(t.Context(), text(test.command, test.command)) // a breaker for each
		wantFailure(t, err, test.reason, test.cause)
		if v.Action != verdict.ActionUnspecified {
			t.Errorf("%s: a failure came with action %s", test.command, v.Action)
		}
		if err != nil && (strings.Contains(err.Error(), "foreign") || strings.ContainsRune(err.Error(), 0x1b)) {
			t.Errorf("%s: the error quotes the scanner: %q", test.command, err)
		}
	}
	if got := ask(t, s, "deadline"); got != "true" {
		t.Error("the deadline does not travel")
	}
	if got := ask(t, s, "streams"); got != stdioMethod { // and no broker
		t.Errorf("the relay opened streams: %q", got)
	}
	if got := ask(t, s, "env HOME"); got != os.Getenv("HOME") {
		t.Errorf("HOME is %q", got)
	}
	c := text("a", "request")
	c.Request = bytes.Repeat([]byte("x"), 3<<20)
	if v, err := s.Scan(t.Context(), c); err != nil || v.Reference != "1048576 true" {
		t.Errorf("request: %q, %v", v.Reference, err)
	}
	c = text("a", "")
	c.Data = make([]byte, 8<<20+1)
	_, err := s.Scan(t.Context(), c)
	wantFailure(t, err, ReasonOversize, verdict.CauseContent)
	c.Data = c.Data[1:]
	if _, err := s.Scan(t.Context(), c); err != nil {
		t.Errorf("8 MiB: %v", err)
	}
	c.Kind = verdict.Blob
	_, err = s.Scan(t.Context(), c)
	wantFailure(t, err, ReasonUnsupported, verdict.CauseContent)
}

func TestReplacementTextNeedsPermission(t *testing.T) {
	t.Parallel()
	for _, may := range []bool{false, true} {
		spec := bad(t, "content")
		spec.MayRewrite = may
		s := begin(t, spec, quiet())
		v, err := s.Scan(t.Context(), text("a", "rewrite"))
		if err != nil {
			t.Fatal(err)
		}
		if e := v.Findings[0].Edit; e == nil || e.HasText != may || (e.Text != "") != may {
			t.Errorf("may rewrite %v: edit %+v", may, e)
		}
	}
}

func TestEnvironmentOfTheRelayStaysThere(t *testing.T) {
	t.Setenv("CANARY_API_KEY", "canary")
	spec := bad(t, "content")
	spec.Env = append(spec.Env, "GIVEN=yes")
	s := begin(t, spec, quiet())
	if got := ask(t, s, "env CANARY_API_KEY"); got != "" {
		t.Errorf("the scanner sees the relay's environment: %q", got)
	}
	if got := ask(t, s, "env GIVEN"); got != "yes" {
		t.Errorf("GIVEN is %q", got)
	}
}

func TestTimeoutAndCancellation(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s.Scan(ctx, text("a", "hang"))
	wantFailure(t, err, ReasonTimeout, verdict.CauseContent)

	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = s.Scan(ctx, text("a", "hang"))
	wantFailure(t, err, ReasonCancelled, verdict.CauseContent)
	if _, err := s.Scan(t.Context(), text("a", "x")); err != nil {
		t.Errorf("the scanner is lost to others: %v", err)
	}
}

func TestStderrHarmsNobody(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	s := begin(t, bad(t, "content"), slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ready(t, s)
	ask(t, s, "message1")
	ask(t, s, "flood")
	ask(t, s, "chatter")
	for deadline := time.Now().Add(patience); !strings.Contains(out.String(), "lines were dropped"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was dropped")
		}
	}
	got := out.String()
	if strings.ContainsRune(got, 0x1b) || strings.Contains(got, "\x9b") || strings.Contains(got, `\u001b`) {
		t.Error("control characters reach the log")
	}
	if len(got) > 4<<20 {
		t.Errorf("the log grew by %d bytes", len(got))
	}
	for _, want := range []string{`{\"@message\":1,`, `"level":"WARN","msg":"scanner says","scanner":"test","text":"fine\\x1b[31m","fields":"{\"extra\":\"x\"}"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in the log", want)
		}
	}
}
