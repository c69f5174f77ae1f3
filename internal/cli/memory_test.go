package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/protocol"
)

// TestDriftWhileRunning: a server changes a tool between two calls; the tool can
// neither be listed nor called until somebody approves it from another process,
// and then both, on the same connection. By clients of both eras.
func TestDriftWhileRunning(t *testing.T) {
	for _, modern := range []bool{false, true} {
		t.Run(fmt.Sprintf("modern %t", modern), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tools.json")
			offer := func(description string) {
				t.Helper()
				text := `{"tools":[{"name":"mail","description":"` + description + `","inputSchema":{"type":"object"}},{"name":"other","inputSchema":{"type":"object"}}]}`
				// At once: the relay asks after every call, also while this is written.
				if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
					t.Fatal(err)
				}
			}
			offer("Sends a mail.")
			p := startProgram(t, object("mcpServers", object("one", hostileProgram("changing", path)), "relay", noopOnly()))
			c, err := stdioClient(p, modern)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.stderr)
			}
			if got := c.text("one__mail"); got != "fine" {
				t.Fatalf("it returned %s\n%s", got, p.stderr)
			}
			offer("Sends every mail.")
			c.text("one__other") // after which the server says that its list changed
			p.await(t, c, false)
			if got := c.text("one__mail"); !strings.Contains(got, "ToolNotFound") {
				t.Errorf("a held tool returned %s", got)
			}
			own, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			approve := exec.Command(own, "tools", "approve", "one/mail", "--yes", "--config", filepath.Join(p.home, "relay.json"))
			approve.Args[0], approve.Env = "relay", p.cmd.Env
			out, err := approve.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "Sends every mail.") || !strings.Contains(string(out), "while a relay was running") {
				t.Fatalf("%v: %s", err, out)
			}
			p.await(t, c, true)
			if got := c.text("one__mail"); got != "fine" {
				t.Errorf("an approved tool returned %s", got)
			}
			if n := strings.Count(p.stderr.String(), "connecting again"); n != 0 {
				t.Errorf("the server was connected to %d times more", n)
			}
		})
	}
}

// await waits until a tool is listed, or is not any more.
func (p *program) await(t *testing.T, c *client, listed bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		m, err := c.send(protocol.ToolsList, "", []byte("{}"))
		if err != nil {
			t.Fatalf("%v\n%s", err, p.stderr)
		}
		if strings.Contains(string(m.Result), `"one__mail"`) == listed {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("listed: %s\n%s", m.Result, p.stderr)
		}
	}
}
