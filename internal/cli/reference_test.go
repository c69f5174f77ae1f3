package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// TestReference finds the scanner's own id of a scan and the link to its report,
// whole however long it is, in explain and in report; and that the server had the
// request already.
func TestReference(t *testing.T) {
	link := "https://console.example/reports?id=R1&pad=" + strings.Repeat("x", 600)
	path := recordOf(t, &audit.Record{
		Time: time.Now(), Event: audit.Verdict, ScanID: "SCAN", Server: "wiki", Target: "read", Method: "tools/call", Phase: verdict.Request,
		Scanner: "airs", Mode: "enforce", Action: verdict.Block, Outcome: "blocked", Reference: "R1", Link: link, Overlapped: true,
	})
	options := func(out *bytes.Buffer, asJSON bool) recordOptions {
		return recordOptions{std: streams{out: out}, file: path, json: asJSON}
	}
	for name, run := range map[string]func(*bytes.Buffer, bool) error{
		"explain": func(out *bytes.Buffer, asJSON bool) error {
			return runExplain(&explainOptions{recordOptions: options(out, asJSON), scanID: "SCAN"})
		},
		"report": func(out *bytes.Buffer, asJSON bool) error {
			return runReport(&reportOptions{recordOptions: options(out, asJSON), since: "1h"})
		},
	} {
		for _, asJSON := range []bool{false, true} {
			var out bytes.Buffer
			if err := run(&out, asJSON); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text := strings.ReplaceAll(out.String(), `\u0026`, "&")
			for _, want := range []string{"R1", link, "SCAN"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s, JSON %v: no %s in\n%s", name, asJSON, want, text)
				}
			}
			if said := strings.Contains(text, "relay.overlap") || strings.Contains(text, `"overlapped"`); name == "explain" && !said {
				t.Errorf("explain does not say that the request was sent:\n%s", text)
			}
		}
	}
}
