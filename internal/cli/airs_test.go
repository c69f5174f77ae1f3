package cli

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/demo"
	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

const airsKey = "airs-key-canary"

// airsFaults are the ways in which the emulated service misbehaves.
var airsFaults = []string{
	"slow=5s", "hang", "reset", "cut", "truncated", "html=502", "html=200", "status=500", "status=401", "status=403", "status=413",
	"rate=nested", "rate=header", "error_string=400", "action=warn", "no_action", "category=error", "partial=timeout", "partial=error",
}

func airsConfig(url string) map[string]any {
	servers := object("one", hostileProgram("echo", "one"), "injected", hostileProgram("injected"))
	for i := range airsFaults {
		// A breaker stands between a scanner and each server: one apiece.
		servers[fmt.Sprintf("f%d", i)] = hostileProgram("echo", strconv.Itoa(i)) // twins are listed once
	}
	return object(
		"mcpServers", servers,
		"relay", object("start_timeout", "3s", "scanners", []any{
			object("name", "airs", "plugin", "panscanner", "timeout", "2s",
				"phases", []string{"definition", "request", "response", "server_request"},
				"config", object("api_key", airsKey, "profile", "p", "endpoint", url, "max_retries", 1)),
			object("name", "local", "plugin", "guard", "phases", []string{"notification"}),
		}),
	)
}

func startAIRS(t *testing.T) *airstest.Server {
	t.Helper()
	return airstest.New(t, airstest.Config{
		Keys: []airstest.Key{{Value: airsKey}}, Profiles: []airstest.Profile{{Name: "p"}},
	})
}

// TestAIRS has every way in which the service may fail block the call that met
// it, and no other.
func TestAIRS(t *testing.T) {
	airs := startAIRS(t)
	p := startProgram(t, airsConfig(airs.URL))
	if err := p.Handshake(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	if tools, _, err := p.Tools(); err != nil || len(tools) != 4+2*len(airsFaults) {
		t.Fatalf("tools %s: %v\n%s", tools, err, p.stderr)
	}
	clean := func(when string) {
		t.Helper()
		if a, err := p.Call("one__echo", nil); err != nil || a.Outcome != demo.Passed {
			t.Errorf("%s: a clean call: %+v %v\n%s", when, a, err, p.stderr)
		}
	}
	clean("before")
	for i, fault := range airsFaults {
		if err := airs.Queue(fault, fault); err != nil { // one retry
			t.Fatalf("%s: %v", fault, err)
		}
		a, err := p.Call(fmt.Sprintf("f%d__echo", i), []byte(`{"x":1}`))
		if err != nil {
			t.Fatalf("%s: %v\n%s", fault, err, p.stderr)
		}
		if a.Outcome == demo.Passed || a.Outcome == demo.Redacted {
			t.Errorf("%s: the call passed: %+v", fault, a)
		}
		flush(airs.URL)
		clean("after " + fault)
	}
	if a, err := p.Call("injected__echo", nil); err != nil || a.Outcome != demo.Blocked {
		t.Errorf("an injected result: %+v %v", a, err)
	}
	for _, line := range commandLines() {
		if strings.Contains(line, airsKey) {
			t.Errorf("the key stands in a command line: %s", line)
		}
	}
	p.leave(t)
	record, err := os.ReadFile(p.audit)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the log": p.stderr.String(), "the audit record": string(record)} {
		if strings.Contains(text, airsKey) {
			t.Errorf("the key stands in %s", name)
		}
	}
}

// flush uses up a fault that is still queued.
func flush(url string) {
	client := &http.Client{Timeout: time.Second}
	if resp, err := client.Get(url + "/v1/scan/results"); err == nil {
		_ = resp.Body.Close()
	}
}

// TestAIRSRefusesTheKey: nothing is offered, nothing hangs, and the log says why
// without the key.
func TestAIRSRefusesTheKey(t *testing.T) {
	airs := airstest.New(t, airstest.Config{Keys: []airstest.Key{{Value: "another"}}})
	p := startProgram(t, airsConfig(airs.URL))
	if err := p.Handshake(); err != nil {
		t.Fatal(err)
	}
	if tools, _, err := p.Tools(); err != nil || len(tools) != 0 {
		t.Errorf("offered %s: %v", tools, err)
	}
	if a, err := p.Call("one__echo", nil); err != nil || a.Outcome != demo.Refused {
		t.Errorf("a call: %+v %v", a, err)
	}
	p.leave(t)
	if log := p.stderr.String(); strings.Contains(log, airsKey) || !strings.Contains(log, "unauthenticated") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestAIRSIsDown: nobody listens.
func TestAIRSIsDown(t *testing.T) {
	p := startProgram(t, airsConfig("http://127.0.0.1:1"))
	if err := p.Handshake(); err != nil {
		t.Fatal(err)
	}
	if tools, _, err := p.Tools(); err != nil || len(tools) != 0 {
		t.Errorf("offered %s: %v", tools, err)
	}
	p.leave(t)
}
