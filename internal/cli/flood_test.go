package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// TestQuestionFlood: servers that ask for too much, or too often, or twice under
// one id end their own calls only.
func TestQuestionFlood(t *testing.T) {
	config := bothEras()
	config["relay"] = object("max_input_rounds", 3, "scanners", noopOnly()["scanners"])
	w := startWeb(t, nil, config)
	for _, modern := range []bool{false, true} {
		c := w.mustClient(modern, w.token)
		// As many questions as a connection may have are asked, the others are
		// refused towards the server, which then goes on.
		got := c.text("old__many")
		var refused int
		_, err := fmt.Sscanf(got, "refused %d", &refused)
		switch {
		case modern && strings.Contains(got, "too many rounds"): // it decides itself when it has had enough
		case err != nil, refused+len(c.asked) != bomb, len(c.asked) == 0, refused < bomb/2:
			t.Errorf("modern %t: %s, %d were asked", modern, got, len(c.asked))
		}
		c.asked = nil
		if got := c.text("new__many"); !strings.Contains(got, "not a valid message") || len(c.asked) != 0 {
			t.Errorf("modern %t: %s, %d were asked", modern, got, len(c.asked))
		}
		if got := c.text("old__reuse"); !strings.Contains(got, "Ada") && got != "error" || len(c.asked) > 1 {
			t.Errorf("modern %t: %s, asked %q", modern, got, c.asked)
		}
		c.asked = nil
		if got := c.text("new__again"); modern {
			// Its client decides how often it comes again.
			if !strings.Contains(got, "too many rounds") || len(c.asked) != rounds {
				t.Errorf("%s, asked %d times", got, len(c.asked))
			}
		} else if !strings.Contains(got, "too many times") || len(c.asked) != 3 {
			t.Errorf("%s, asked %d times", got, len(c.asked))
		}
		for _, tool := range []string{"old__echo", "new__echo"} {
			if got := c.text(tool); got != "echo" {
				t.Errorf("modern %t: afterwards %s says %s", modern, tool, got)
			}
		}
	}
	if t.Failed() {
		t.Log(w.stderr)
	}
}

// TestProgressFlood: all of it arrives before the answer, at the client whose
// call it belongs to.
func TestProgressFlood(t *testing.T) {
	w := startWeb(t, nil, bothEras())
	for _, modern := range []bool{false, true} {
		for _, tool := range []string{"old__progress", "new__progress"} {
			c, bystander := w.mustClient(modern, w.token), w.mustClient(modern, w.token)
			if got := c.text(tool); got != "fine" || len(c.notes) != bomb {
				t.Errorf("modern %t: %s: %s after %d notifications", modern, tool, got, len(c.notes))
			}
			if got := bystander.text("new__echo"); got != "echo" || len(bystander.notes) != 0 {
				t.Errorf("the bystander: %s and %q", got, bystander.notes)
			}
		}
	}
}

// TestChangeStorm: a server that announces changes without end is asked again
// now and then, and clients hear of it as often as that.
func TestChangeStorm(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		server, received := recording(t, era)
		w := startWeb(t, nil, object("mcpServers", object("one", server, "two", hostileProgram("legacy")), "relay", noopOnly()))
		subscription := w.listening()
		heard := make(chan int)
		go func() {
			n := 0
			for {
				if _, err := subscription.next(); err != nil {
					heard <- n
					return
				}
				n++
			}
		}()
		c := w.mustClient(false, w.token)
		start := time.Now()
		for range 2 {
			if got := c.text("one__storm"); got != "fine" {
				t.Errorf("%s: %s", era, got)
			}
			if got := c.text("two__echo"); got != "echo" {
				t.Errorf("%s: the neighbour says %s", era, got)
			}
		}
		lists := strings.Count(contents(received), `"tools/list"`)
		subscription.close()
		most := 3 + int(time.Since(start)/time.Second)
		if n := <-heard; lists > most || n > most {
			t.Errorf("%s: listed %d times, heard of it %d times, at most %d were due", era, lists, n, most)
		}
	}
}

// TestFloodedStdio: the same over standard streams, which have one order for
// everything.
func TestFloodedStdio(t *testing.T) {
	for _, modern := range []bool{false, true} {
		p := startProgram(t, bothEras())
		c, err := stdioClient(p, modern)
		if err != nil {
			t.Fatalf("%v\n%s", err, p.stderr)
		}
		for _, tool := range []string{"old__progress", "new__progress"} {
			c.notes = nil
			if got := c.text(tool); got != "fine" {
				t.Errorf("modern %t: %s: %s", modern, tool, got)
			}
			progress := 0
			for _, n := range c.notes {
				if n == protocol.Progress {
					progress++
				}
			}
			if progress != bomb {
				t.Errorf("modern %t: %s: %d of %d notifications", modern, tool, progress, bomb)
			}
		}
		if m, err := c.call("new__many"); err != nil || m.Kind() != jsonrpc.Response {
			t.Errorf("%+v %v", m, err)
		}
		if got := c.text("old__echo"); got != "echo" {
			t.Errorf("modern %t: %s", modern, got)
		}
	}
}
