package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
)

func TestSinceWhen(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"7d": now.AddDate(0, 0, -7), "90m": now.Add(-90 * time.Minute), "2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		"": {}, "0d": {}, "-1h": {}, "d": {}, "7": {}, "999999999d": {}, "yesterday": {},
	} {
		got, err := sinceWhen(text, now)
		if !got.Equal(want) || (err == nil) == want.IsZero() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestReportHostileNames(t *testing.T) {
	observed := hostileRecord(audit.Verdict)
	observed.Mode = "observe"
	path := recordOf(t, hostileRecord(audit.Verdict), observed, hostileRecord(audit.Decision), hostileRecord(audit.Anomaly),
		hostileRecord(audit.Withheld))
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		o := &reportOptions{recordOptions: recordOptions{std: streams{out: &out}, file: path, json: asJSON}, since: "1h"}
		if err := runReport(o); err != nil {
			t.Fatal(err)
		}
		harmless(t, out.String())
	}
}
