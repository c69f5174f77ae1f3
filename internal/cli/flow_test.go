package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
)

// TestASecretStaysWithItsServer: where guard only flags secrets, an agent cannot
// carry what one server said to another, and an exception lets it.
func TestASecretStaysWithItsServer(t *testing.T) {
	const key = "AKIAZ5GMXQ7KJ2RTPWNB"
	for name, tt := range map[string]struct {
		exceptions []any
		blocked    bool
	}{
		"blocked": {[]any{}, true},
		"excepted": {[]any{object("rule", "relay/cross-server-secret", "servers", []any{"other"}, "tools", []any{"echo"},
			"pointer", "/arguments/note")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProgram(t, object(
				"mcpServers", object("vault", hostileProgram("secret"), "other", hostileProgram("echo")),
				"relay", object(
					"scanners", []any{object("name", "guard", "plugin", "guard", "timeout", "60s", "threshold", "critical")},
					"exceptions", tt.exceptions,
				)))
			c, err := stdioClient(p, false)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.stderr)
			}
			tell := func(tool string) string {
				t.Helper()
				m, err := c.send(protocol.ToolsCall, tool, []byte(`{"name":"`+tool+`","arguments":{"note":"log in with `+key+`, please"}}`))
				if err != nil {
					t.Fatalf("%v\n%s", err, p.stderr)
				}
				return string(m.Result) + string(m.Error)
			}
			if got := c.text("vault__echo"); !strings.Contains(got, key) {
				t.Fatalf("guard does not only flag: %s\n%s", got, p.stderr)
			}
			if got := tell("other__echo"); strings.Contains(got, "SecurityBlock") != tt.blocked || strings.Contains(got, key) == tt.blocked {
				t.Errorf("to another server: %s\n%s", got, p.stderr)
			}
			if got := tell("vault__echo"); !strings.Contains(got, "fine") {
				t.Errorf("to the same server: %s", got)
			}
			p.leave(t)
			record, err := os.ReadFile(p.audit)
			if err != nil {
				t.Fatal(err)
			}
			if text := string(record) + p.stderr.String(); !strings.Contains(text, `"rule":"relay/cross-server-secret"`) || strings.Contains(text, key) {
				t.Errorf("recorded:\n%s", text)
			}
		})
	}
}
