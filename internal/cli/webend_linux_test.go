package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
)

// gone waits until none of the processes is left.
func gone(t *testing.T, tree map[string]string) {
	t.Helper()
	await(t, fmt.Sprintf("the end of %v", tree), func() bool { return len(left(tree)) == 0 })
}

// TestShutdownOverHTTP: a signal ends the streams that have no end of their own,
// lets a call in flight come to its end, and leaves nothing behind.
func TestShutdownOverHTTP(t *testing.T) {
	server, received := recording(t, "legacy")
	w := startWeb(t, nil, object("mcpServers", object("one", server, "tree", hostileProgram("tree", t.Name())), "relay", noopOnly()))
	session, err := w.session()
	if err != nil {
		t.Fatalf("%v\n%s", err, w.stderr)
	}
	legacy := []string{"Mcp-Session-Id", session}
	subscription := w.listening()
	events, err := w.open(w.request("GET", "/mcp", "", legacy...))
	if err != nil || events.status != 200 {
		t.Fatalf("%+v %v", events, err)
	}
	tree := descendants(w.cmd.Process.Pid)
	if len(tree) < 6 {
		t.Fatalf("only %d processes: %v", len(tree), tree)
	}
	flying := w.begin(received, "gate", legacy, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"one__gate"}}`)
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*stream{"the subscription": subscription, "the stream": events} {
		if err := drained(s); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.http.CloseIdleConnections()
	if a, err := w.http.Do(w.request("POST", "/mcp", listTools, modernHeaders("tools/list", "")...)); err == nil && a.StatusCode != http.StatusServiceUnavailable {
		t.Error("something new was taken")
	}
	if err := os.WriteFile(received+".open", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if a := <-flying; a.status != http.StatusOK || !strings.Contains(a.body, `"text":"fine"`) {
		t.Errorf("the call in flight: %+v", a)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("the relay: %v\n%s", err, w.stderr)
	}
	gone(t, tree)
}

// TestKilledWithClients kills the relay under clients of every kind, with calls
// in flight.
func TestKilledWithClients(t *testing.T) {
	server, received := recording(t, "modern")
	w := startWeb(t, nil, object(
		"mcpServers", object("one", server, "tree", hostileProgram("tree", t.Name())),
		"relay", object("isolation", "session", "scanners", []any{object("name", "noop", "plugin", "noop"), object("name", "guard", "plugin", "guard")}),
	))
	var clients sync.WaitGroup
	for range 3 {
		session, err := w.session()
		if err != nil {
			t.Fatalf("%v\n%s", err, w.stderr)
		}
		before := strings.Count(contents(received), `"name":"wait"`)
		clients.Go(func() {
			s, err := w.open(w.request("POST", "/mcp", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"one__wait"}}`, "Mcp-Session-Id", session))
			if err == nil {
				_, err = s.next()
				s.close()
			}
			if err == nil {
				t.Error("a call was answered that nobody answered")
			}
		})
		await(t, "a call", func() bool { return strings.Count(contents(received), `"name":"wait"`) > before })
	}
	subscription := w.listening()
	old, err := w.open(w.request("GET", "/sse", ""))
	if err != nil {
		t.Fatal(err)
	}
	tree := descendants(w.cmd.Process.Pid)
	if len(tree) < 1+2+3*5 {
		t.Fatalf("only %d processes: %v", len(tree), tree)
	}
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	clients.Wait()
	subscription.close()
	old.close()
	gone(t, tree)
}

// TestKilledInMidCall kills a server, and then a scanner, while calls are in
// flight: these fail once, are not sent again, and the next ones pass.
func TestKilledInMidCall(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		t.Run(era, func(t *testing.T) {
			server, received := recording(t, era)
			w := startWeb(t, nil, object("mcpServers", object("one", server), "relay", noopOnly()))
			c, err := w.client(true)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(c.text("one__pid"))
			if err != nil {
				t.Fatalf("%v\n%s", err, w.stderr)
			}
			waiting := w.begin(received, "wait", modernHeaders("tools/call", "one__wait"), modernCall("1", "one__wait"))
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if a := <-waiting; a.status != http.StatusOK || !strings.Contains(a.body, `"type":"ToolExecutionError"`) {
				t.Errorf("the call: %+v", a)
			}
			await(t, "another server", func() bool { return c.text("one__echo") == "echo" })
			if again, err := strconv.Atoi(c.text("one__pid")); err != nil || again == pid {
				t.Errorf("the server is %d: %v", again, err)
			}
			if n := strings.Count(contents(received), `"name":"wait"`); n != 1 {
				t.Errorf("the call was sent %d times", n)
			}
			// The scanner dies before the answer comes: it is judged by the next one, or
			// held back. It never passes unjudged.
			gate := w.begin(received, "gate", modernHeaders("tools/call", "one__gate"), modernCall("1", "one__gate"))
			killScanners(t, w)
			if err := os.WriteFile(received+".open", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			a := <-gate
			if strings.Contains(a.body, `"text":"fine"`) == strings.Contains(a.body, `"type":"ScannerUnavailable"`) {
				t.Errorf("the call: %+v", a)
			}
			await(t, "another scanner", func() bool {
				got := c.text("one__echo")
				if got != "echo" && !strings.Contains(got, "could not inspect") {
					t.Errorf("got %s", got)
				}
				return got == "echo"
			})
		})
	}
}

// TestKilledWhileParked kills a server that waits for a client's answer: the
// client learns of it when it comes back, and later calls pass.
func TestKilledWhileParked(t *testing.T) {
	w := startWeb(t, nil, object("mcpServers", object("one", hostileProgram("legacy")), "relay", noopOnly()))
	c := w.mustClient(true, w.token)
	pid := w.pid(c)
	m, err := c.send("tools/call", "one__elicit", []byte(`{"name":"one__elicit","arguments":{}}`))
	in, ok, ierr := protocol.InputRequired(m.Result)
	if err != nil || !ok || ierr != nil {
		t.Fatalf("%s %v %v", m.Result, err, ierr)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "another server", func() bool { return c.text("one__echo") == "echo" })
	params := protocol.WithInput([]byte(`{"name":"one__elicit","arguments":{}}`),
		[]protocol.InputResponse{{Key: in.Requests[0].Key, Result: []byte(answers[protocol.Elicit])}}, in.State, in.HasState)
	m, err = c.send("tools/call", "one__elicit", params)
	if err != nil || !strings.Contains(string(m.Result), `"type":"ToolExecutionError"`) {
		t.Errorf("%s %s %v", m.Result, m.Error, err)
	}
	if got := c.text("one__elicit"); !strings.Contains(got, "Ada") {
		t.Errorf("afterwards: %s", got)
	}
}

// killScanners kills the scanner processes of the relay.
func killScanners(t *testing.T, w *web) {
	t.Helper()
	killed := 0
	for child := range descendants(w.cmd.Process.Pid) {
		pid, _, _ := strings.Cut(child, "@")
		line := contents("/proc/" + pid + "/cmdline")
		if n, err := strconv.Atoi(pid); err == nil && strings.Contains(line, "noop") {
			_ = syscall.Kill(n, syscall.SIGKILL)
			killed++
		}
	}
	if killed == 0 {
		t.Errorf("no scanner was found: %v", commandLines())
	}
}

// TestSessionsOfTheirOwn: servers of a session end with it, and a principal has
// no more of them than it may have.
func TestSessionsOfTheirOwn(t *testing.T) {
	w := startPrincipals(t, hostileProgram("legacy"), "isolation", "session", "limits", object("children_per_principal", 2))
	token := []string{"Authorization", "Bearer " + anna}
	var sessions []string
	for range 2 {
		s, err := w.session(token...)
		if err != nil {
			t.Fatalf("%v\n%s", err, w.stderr)
		}
		sessions = append(sessions, s)
	}
	if a := w.do("POST", "/mcp", initialize, token...); a.status != 429 {
		t.Errorf("a third session: %+v", a)
	}
	if a := w.do("POST", "/mcp", listTools, append(modernHeaders("tools/list", ""), token...)...); a.status != 429 {
		t.Errorf("a modern request, which needs servers of its own: %+v", a)
	}
	w.pid(w.mustClient(false, bert))
	call := `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"one__pid"}}`
	a := w.do("POST", "/mcp", call, append(token, "Mcp-Session-Id", sessions[0])...)
	_, text, _ := strings.Cut(a.body, `"text":"`)
	text, _, _ = strings.Cut(text, `"`)
	if _, err := strconv.Atoi(text); err != nil {
		t.Fatalf("%+v", a)
	}
	if a := w.do("DELETE", "/mcp", "", append(token, "Mcp-Session-Id", sessions[0])...); a.status != 204 {
		t.Errorf("%+v", a)
	}
	await(t, "the end of the session's server", func() bool { return !exists("/proc/" + text) })
	await(t, "room for another session", func() bool { return w.do("POST", "/mcp", initialize, token...).status == 200 })
}
