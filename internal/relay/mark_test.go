package relay

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// redactor redacts the word that an echo returns.
type redactor struct{}

func (redactor) Scan(_ context.Context, c verdict.Content) (verdict.Verdict, error) {
	if c.Phase != verdict.Response || !strings.Contains(string(c.Data), `"SECRET"`) {
		return verdict.Verdict{Action: verdict.Allow}, nil
	}
	return verdict.Verdict{Action: verdict.Redact, Findings: []verdict.Finding{{
		Rule: "r", Category: "secret.key", Severity: verdict.High,
		Location: verdict.Location{Pointer: "/echo/arguments/a"}, Edit: &verdict.Edit{},
	}}}, nil
}

// TestARedactedResultSaysUnderWhichID, and one that was not changed is as the
// server sent it.
func TestARedactedResultSaysUnderWhichID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil, &fakeServer{tools: []string{"x"}})
		r.ask(toolsList)
		r.relay.gate.Swap(scan.Panel{Members: []scan.Member{{Scanner: redactor{}, Policy: scan.Policy{Name: "redactor"}}}})
		say := func(word string) string {
			got := r.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":"` + word + `"}}}`)
			if len(got) != 1 {
				t.Fatalf("got %q", got)
			}
			return got[0]
		}
		if got := say("plain"); strings.Contains(got, scanMeta) {
			t.Errorf("got %s", got)
		}
		got := say("SECRET")
		if strings.Contains(got, "SECRET") || !strings.Contains(got, `"a":"[redacted:secret.key#1]"`) {
			t.Errorf("got %s", got)
		}
		r.audit.mu.Lock()
		id := r.audit.all[len(r.audit.all)-1].ScanID
		r.audit.mu.Unlock()
		if !strings.HasSuffix(got, `,"_meta":{"mcp-relay/scan_id":"`+id+`"}}}`) || id == "" {
			t.Errorf("got %s, want the id %s in it", got, id)
		}
	})
}
