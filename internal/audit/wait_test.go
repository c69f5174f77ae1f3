package audit

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Records of what nobody judged wait for company, in order, and are never lost;
// verdicts never wait.
func TestRecordsOfNoVerdictMayWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l, err := Open(Options{Path: Stderr, Stderr: &out, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		write := func(event Event, action verdict.Action, target string) {
			t.Helper()
			if err := l.Write(&Record{Event: event, Action: action, Target: target}); err != nil {
				t.Error(err)
			}
		}
		targets := func() string {
			var all []string
			for line := range strings.Lines(out.String()) {
				_, rest, _ := strings.Cut(line, `"target":"`)
				target, _, _ := strings.Cut(rest, `"`)
				all = append(all, target)
			}
			return strings.Join(all, " ")
		}
		write(Decision, verdict.Allow, "a")
		write(Decision, verdict.Allow, "b")
		if got := targets(); got != "" {
			t.Errorf("written at once: %s", got)
		}
		write(Verdict, verdict.Allow, "c")
		if got := targets(); got != "a b c" {
			t.Errorf("with a verdict: %s", got)
		}
		write(Decision, verdict.Allow, "d")
		write(Decision, verdict.Block, "e")
		if got := targets(); got != "a b c d e" {
			t.Errorf("with a decision to block: %s", got)
		}
		write(Decision, verdict.Allow, "f")
		time.Sleep(flushAfter + time.Millisecond)
		synctest.Wait()
		if got := targets(); got != "a b c d e f" {
			t.Errorf("after a while: %s", got)
		}
		write(Decision, verdict.Allow, "g")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := targets(); got != "a b c d e f g" {
			t.Errorf("at the end: %s", got)
		}
		time.Sleep(time.Second)
	})
}
