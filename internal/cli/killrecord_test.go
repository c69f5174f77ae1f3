package cli

import (
	"path/filepath"
	"testing"

	"github.com/mcp-relay/relay/internal/audit"
)

// The record of a relay that was killed is intact, and says that it has no end.
func TestRecordOfAKilledRelay(t *testing.T) {
	p := startProgram(t, object("mcpServers", object("one", hostileProgram()), "relay", noopOnly()))
	if err := p.Handshake(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	if _, _, err := p.Tools(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	r, err := audit.Verify(filepath.Join(p.home, "mcp-relay"), p.audit)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Intact || len(r.Chains) != 1 || r.Chains[0].Closed || r.Chains[0].Noted == nil || r.Chains[0].Last < 2 {
		t.Errorf("%+v", r)
	}
}
