package scan

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// TestABlockOfOneItemLeavesTheRestToTheOthers: a scanner that withholds an item
// of a catalogue must not end the scan that decides about the other items.
func TestABlockOfOneItemLeavesTheRestToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick := says(verdict.Verdict{Action: verdict.Block, Findings: []verdict.Finding{
			{Location: verdict.Location{Pointer: "/tools/1"}},
		}})
		slow := scannerFunc(func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
			select {
			case <-ctx.Done():
				return verdict.Verdict{}, &verdict.Failure{Reason: "cancelled", Cause: verdict.CauseContent, Err: ctx.Err()}
			case <-time.After(time.Second):
				return verdict.Verdict{Action: verdict.Allow}, nil
			}
		})
		g := gateOf([]Member{member(quick, nil), member(slow, nil)}, &records{})
		defer g.Close()
		s := request(`{"tools":[{"name":"a"},{"name":"b"}]}`)
		s.Content.Phase, s.Part, s.Catalogue = verdict.Definition, peer.Result, "tools"
		if d := decide(t, g, s); d.Outcome != Passed || len(d.Withheld) != 1 || d.Withheld[0] != 1 {
			t.Errorf("outcome %d, withheld %v", d.Outcome, d.Withheld)
		}
	})
}

// TestTheScanIDLeadsToTheRecord: what a client is told is what a person finds.
func TestTheScanIDLeadsToTheRecord(t *testing.T) {
	rec := &records{}
	g := gateOf([]Member{member(says(verdict.Verdict{Action: verdict.Allow}), func(p *Policy) { p.Mode = Observe })}, rec)
	d := decide(t, g, request(`{"a":1}`))
	g.Close()
	if d.Outcome != Unavailable || len(rec.all) != 2 {
		t.Fatalf("outcome %d, records %+v", d.Outcome, rec.all)
	}
	for i := range rec.all {
		if rec.all[i].ScanID != d.ScanID {
			t.Errorf("record %q under %q, the client was told %q", rec.all[i].Reason, rec.all[i].ScanID, d.ScanID)
		}
	}
}
