package cli

import (
	"fmt"
	"strings"
	"testing"
)

// bothEras is a configuration with a server of each era, and all clients ask
// for one.
func bothEras() map[string]any {
	return object("mcpServers", object("old", hostileProgram("legacy"), "new", hostileProgram("modern")), "relay", noopOnly())
}

// TestBothErasOnBothSides has clients of both eras call servers of both eras,
// over standard streams and over HTTP, also where the server asks the client
// something before it answers.
func TestBothErasOnBothSides(t *testing.T) {
	w := startWeb(t, nil, bothEras())
	for _, modern := range []bool{false, true} {
		for _, overHTTP := range []bool{false, true} {
			var c *client
			var err error
			stderr := w.stderr
			if overHTTP {
				c, err = w.client(modern)
			} else {
				p := startProgram(t, bothEras())
				stderr = p.stderr
				c, err = stdioClient(p, modern)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr)
			}
			for _, server := range []string{"old", "new"} {
				name := fmt.Sprintf("modern client %t, HTTP %t, %s server", modern, overHTTP, server)
				converse(t, name, c, server)
			}
			if t.Failed() {
				t.Fatal(stderr)
			}
		}
	}
}

func converse(t *testing.T, name string, c *client, server string) {
	t.Helper()
	c.asked = nil
	for _, test := range []struct{ tool, want, question string }{
		{"echo", "echo", ""},
		{"elicit", `"name":"Ada"`, `"message":"[` + server + `] Which name?"`},
		{"imitate", `"name":"Ada"`, `"message":"[` + server + `] `},
		{"sample", `"text":"word"`, `"includeContext":"none"`},
		{"roots", `file:///home/ada`, `roots/list`},
	} {
		if got := c.text(server + "__" + test.tool); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s returned %s", name, test.tool, got)
		} else if server == "new" && test.question != "" && !strings.HasSuffix(got, "kept") {
			t.Errorf("%s: %s lost its state: %s", name, test.tool, got)
		}
		if test.question == "" {
			continue
		}
		if len(c.asked) != 1 || !strings.Contains(c.asked[0], test.question) {
			t.Errorf("%s: %s asked %q", name, test.tool, c.asked)
		}
		for _, mark := range []string{"[old] ", "[new] "} {
			if n := strings.Count(c.asked[0], mark); n > 0 && mark != "["+server+"] " || n > 1 {
				t.Errorf("%s: %s speaks for another: %q", name, test.tool, c.asked)
			}
		}
		c.asked = nil
	}
}

// TestSwitches: what the configuration forbids a server to ask, no client is
// asked, and the call ends.
func TestSwitches(t *testing.T) {
	config := bothEras()
	config["relay"] = object("scanners", noopOnly()["scanners"], "server_requests", object("elicitation", false, "sampling", false, "roots", false))
	w := startWeb(t, nil, config)
	for _, modern := range []bool{false, true} {
		c := w.mustClient(modern, w.token)
		for _, tool := range []string{"elicit", "sample", "roots"} {
			if got := c.text("old__" + tool); got != "error" {
				t.Errorf("modern %t: the legacy server's %s: %s", modern, tool, got)
			}
			if got := c.text("new__" + tool); !strings.Contains(got, "may not ask") {
				t.Errorf("modern %t: the modern server's %s: %s", modern, tool, got)
			}
		}
		if len(c.asked) != 0 {
			t.Errorf("modern %t: asked %q", modern, c.asked)
		}
	}
}
