package interop

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/demo"
	"github.com/mcp-relay/relay/internal/sandbox"
)

// TestTheAgentCannotComputeItsWay: a command that puts a path together only when it
// runs gets past a rule that reads strings. A server with sandbox: true runs it, and
// has no access to the relay's own files.
func TestTheAgentCannotComputeItsWay(t *testing.T) {
	if !sandbox.Available() {
		t.Skip("this system cannot confine programs")
	}
	g := newGuarded(t)
	before := g.fingerprints(t)
	for _, target := range []string{g.config, g.audit, g.state + "/tokens.json", g.state + "/audit.key"} {
		hidden := `"$(echo ` + base64.StdEncoding.EncodeToString([]byte(target)) + ` | base64 -d)"`
		for _, command := range []string{"cat " + hidden, "echo x >> " + hidden, "rm " + hidden, "cp /etc/hostname " + hidden, "ln " + hidden + " mine"} {
			arguments, err := json.Marshal(map[string]any{"command": command})
			if err != nil {
				t.Fatal(err)
			}
			a, err := g.agent.Call("box__run", arguments)
			if err != nil || a.Outcome != demo.Failed && a.Outcome != demo.Blocked || strings.Contains(a.Text, "ran:") {
				t.Errorf("%s (%s): %+v %v", command, target, a, err)
			}
		}
	}
	g.unchanged(t, before)
	if a, err := g.agent.Call("box__run", []byte(`{"command":"echo harmless"}`)); err != nil || a.Outcome != demo.Passed {
		t.Errorf("what is harmless: %+v %v", a, err)
	}
	g.works(t, "after what the sandbox stopped")
	g.tool(t, "audit", "verify")
}
