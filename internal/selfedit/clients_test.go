package selfedit

import (
	"testing"

	"github.com/mcp-relay/relay/internal/clientfile"
)

// Without a home, what lies in projects is protected still.
func TestClients(t *testing.T) {
	var o Options
	o.Clients(clientfile.Places{GOOS: "linux"})
	w := &world{rule: New(o)}
	if got := w.judge("/p/.vscode/mcp.json", "/p/settings.json"); len(got) != 1 || len(o.Files) != 0 {
		t.Errorf("found %q, files %q", got, o.Files)
	}
}
