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

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// listening opens a subscription and waits until it is acknowledged.
func (w *web) listening() *stream {
	w.t.Helper()
	s, err := w.open(w.request("POST", "/mcp", listenBody, modernHeaders(protocol.Listen, "")...))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.stderr)
	}
	if m, err := s.next(); err != nil || m.Method != protocol.Acknowledged {
		w.t.Fatalf("%s %v\n%s", m.Method, err, w.stderr)
	}
	return s
}

// begin sends a call, and waits until the server has it. The answer comes from
// the channel.
func (w *web) begin(received, tool string, headers []string, body string) <-chan answer {
	got := make(chan answer, 1)
	before := strings.Count(contents(received), `"name":"`+tool+`"`)
	go func() { got <- w.do("POST", "/mcp", body, headers...) }()
	await(w.t, "the call of "+tool, func() bool { return strings.Count(contents(received), `"name":"`+tool+`"`) > before })
	return got
}

func contents(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// gone waits until none of the processes is left.
func gone(t *testing.T, tree map[string]string) {
	t.Helper()
	await(t, fmt.Sprintf("the end of %v", tree), func() bool { return len(left(tree)) == 0 })
}

// recording is the configuration of a speaker that writes down what it gets.
func recording(t *testing.T, era string) (server map[string]any, received string) {
	t.Helper()
	received = t.TempDir() + "/received"
	server = hostileProgram(era)
	server["env"] = object("RECEIVED", received)
	return server, received
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
		if err := s.drained(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.http.CloseIdleConnections()
	if _, err := w.http.Do(w.request("POST", "/mcp", listTools, modernHeaders("tools/list", "")...)); err == nil { //nolint:bodyclose // an error is wanted
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

// drained reads to the end of a stream.
func (s *stream) drained() error {
	for {
		if _, err := s.data(); err != nil {
			return err
		}
	}
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
			killScanners(t, w)
			// A call that meets a dead scanner is refused; it never passes unjudged.
			await(t, "another scanner", func() bool {
				m, err := c.call("one__echo")
				if err != nil || m.Kind() != jsonrpc.Response {
					t.Errorf("%+v %v", m, err)
				}
				text := string(m.Result) + string(m.Error)
				return strings.Contains(text, `"text":"echo"`) || !strings.Contains(text, "ScannerUnavailable") && unexpected(t, text)
			})
		})
	}
}

func unexpected(t *testing.T, text string) bool {
	t.Helper()
	t.Errorf("got %s", text)
	return true
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
