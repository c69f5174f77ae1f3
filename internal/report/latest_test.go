package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
)

func TestLatestAreTheNewest(t *testing.T) {
	b := NewBuilder(time.Time{}, "")
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, i := range []int{3, 14, 0, 7, 11, 1, 2, 13, 4, 5, 6, 8, 9, 10, 12} {
		b.Add(&audit.Entry{
			Time: start.Add(time.Duration(i) * time.Second), Event: audit.Verdict, Scanner: "airs", ScanID: fmt.Sprint("s", i), Server: "files",
			Target: "read", Action: "block", Outcome: "blocked", Reference: fmt.Sprint("R", i), Link: fmt.Sprint("https://e.example/", i),
		})
	}
	b.Add(&audit.Entry{Time: start.Add(time.Hour), Event: audit.Verdict, Scanner: "airs", ScanID: "allowed", Action: "allow", Outcome: "passed"})
	latest := b.Report().Scanners[0].Latest
	if len(latest) != maxLatest {
		t.Fatalf("%d", len(latest))
	}
	for i, s := range latest {
		if want := fmt.Sprint(14 - i); s.ScanID != "s"+want || s.Reference != "R"+want || s.Link != "https://e.example/"+want {
			t.Errorf("%d: %+v", i, s)
		}
	}
}
