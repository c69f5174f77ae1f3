package scan

import (
	"testing"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

type noRecords struct{}

func (noRecords) Write(*audit.Record) error { return nil }

func benchGate(b *testing.B, n int) *Gate {
	b.Helper()
	var members []Member
	for range n {
		members = append(members, member(says(verdict.Verdict{Action: verdict.Allow}), nil))
	}
	return gateOf(members, noRecords{})
}

// BenchmarkJudge is the gate's own work on one message, by how many scanners
// enforce on it and how.
func BenchmarkJudge(b *testing.B) {
	content := request(`{"name":"echo","arguments":{"text":"x"}}`)
	empty := &Subject{Part: peer.Params, Content: verdict.Content{Phase: verdict.Request, Kind: verdict.JSON, Origin: verdict.Origin{Server: "srv", Method: "ping"}}}
	hidden := *content
	hidden.Hidden = true
	for _, bb := range []struct {
		name    string
		gate    *Gate
		subject *Subject
	}{
		{"empty", benchGate(b, 1), empty},
		{"hidden", benchGate(b, 1), &hidden},
		{"uncovered", benchGate(b, 0), content},
		{"one", benchGate(b, 1), content},
		{"two", benchGate(b, 2), content},
	} {
		b.Run(bb.name, func(b *testing.B) {
			decided := make(chan struct{}, 1)
			then := func(Decision) { decided <- struct{}{} }
			b.ReportAllocs()
			for b.Loop() {
				bb.gate.Judge(b.Context(), bb.subject, then)
				<-decided
			}
		})
		bb.gate.Close()
	}
}
