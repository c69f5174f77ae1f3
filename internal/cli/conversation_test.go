package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/audit"
)

// TestConversation has clients of both eras call a tool twice, over pipes and over
// HTTP, and finds the two calls in the record under one session, each with its
// request and its answer under one id.
func TestConversation(t *testing.T) {
	legacy := func(id int) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"one__echo","arguments":{}}}`, id)
	}
	servers := object("one", hostileProgram("echo", "one"))
	t.Run("pipes", func(t *testing.T) {
		for era, frames := range map[string][]string{
			"legacy": {initialize, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, legacy(1), legacy(2)},
			"modern": {modernCall("1", "one__echo"), modernCall("2", "one__echo")},
		} {
			p := startProgram(t, object("mcpServers", servers, "relay", noopOnly()))
			answers := 0
			lines := bufio.NewScanner(p.out)
			for _, frame := range frames {
				if _, err := fmt.Fprintln(p.in, frame); err != nil {
					t.Fatal(err)
				}
				answers += strings.Count(frame, `"id"`)
			}
			for range answers {
				lines.Scan()
			}
			p.leave(t)
			oneConversation(t, era, p.audit)
		}
	})
	t.Run("HTTP", func(t *testing.T) {
		w := startWeb(t, nil, object("mcpServers", servers, "relay", noopOnly()))
		for _, id := range []string{"1", "2"} {
			if a := w.do("POST", "/mcp", modernCall(id, "one__echo"), modernHeaders("tools/call", "one__echo")...); a.status != 200 {
				t.Fatalf("%+v\n%s", a, w.stderr)
			}
		}
		oneConversation(t, "modern", w.audit)
		before := recorded(t, w.audit)
		session, err := w.session()
		if err != nil {
			t.Fatal(err)
		}
		for id := range 2 {
			if a := w.do("POST", "/mcp", legacy(id+1), "Mcp-Session-Id", session); a.status != 200 {
				t.Fatalf("%+v\n%s", a, w.stderr)
			}
		}
		calls(t, "legacy", recorded(t, w.audit)[len(before):])
	})
}

func oneConversation(t *testing.T, era, path string) {
	t.Helper()
	calls(t, era, recorded(t, path))
}

// recorded returns the verdicts about calls.
func recorded(t *testing.T, path string) (entries []audit.Entry) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e audit.Entry
		if json.Unmarshal([]byte(line), &e) == nil && e.Method == "tools/call" {
			entries = append(entries, e)
		}
	}
	return entries
}

func calls(t *testing.T, era string, entries []audit.Entry) {
	t.Helper()
	phases := map[string][]string{}
	for i := range entries {
		e := &entries[i]
		if e.Session == "" || e.Session != entries[0].Session {
			t.Errorf("%s: session %q and session %q", era, e.Session, entries[0].Session)
		}
		phases[e.Call] = append(phases[e.Call], e.Phase)
	}
	if len(phases) != 2 {
		t.Errorf("%s: %d calls", era, len(phases))
	}
	for call, of := range phases {
		if !slices.Equal(of, []string{"request", "response"}) {
			t.Errorf("%s: call %q has %s", era, call, of)
		}
	}
}
