package cli

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/verdict"
)

// hostileText is what a server may call itself and its things.
const hostileText = "a\x1b]52;c;eA==\a\u009b31m\u202e\u2066\u200b\U000E0041\r\n- rule: \"*\"\\*?["

// hostileRecord has it wherever somebody else's string may stand.
func hostileRecord(event audit.Event) *audit.Record {
	return &audit.Record{
		Event: event, ScanID: "SCAN", Session: hostileText, Principal: hostileText, Client: hostileText, Server: hostileText,
		Method: hostileText, Target: hostileText, Phase: verdict.Response, Scanner: hostileText, Mode: hostileText,
		Action: verdict.Block, Outcome: "blocked", Reason: hostileText, Reference: hostileText, Link: hostileText, ScannerTime: time.Millisecond,
		Findings:    []verdict.Finding{{Rule: hostileText, Category: hostileText, Location: verdict.Location{Pointer: "/" + hostileText}}},
		Uninspected: []verdict.Uninspected{{Pointer: hostileText, Reason: hostileText}},
	}
}

// recordOf writes a record to a file of its own, and returns its path.
func recordOf(t *testing.T, records ...*audit.Record) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := audit.Open(audit.Options{Path: path, State: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := l.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// harmless fails when a terminal could be fooled.
func harmless(t *testing.T, out string) {
	t.Helper()
	for _, r := range out {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%U in:\n%q", r, out)
		}
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(strings.TrimSpace(line), `- rule: "*"`) {
			t.Errorf("a name became an exception:\n%s", out)
		}
	}
}

func TestExplainHostileNames(t *testing.T) {
	path := recordOf(t, hostileRecord(audit.Verdict), hostileRecord(audit.Withheld), hostileRecord(audit.Decision))
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		o := &explainOptions{recordOptions: recordOptions{std: streams{out: &out}, file: path, json: asJSON}, scanID: "SCAN"}
		if err := runExplain(o); err != nil {
			t.Fatal(err)
		}
		harmless(t, out.String())
	}
}

// An exception that is proposed fits what it is for, whatever that is called, and
// nothing else.
func TestExceptionsAreLiteral(t *testing.T) {
	for _, name := range []string{"plain", "*", "a*", "[ab]", `a\b`, "?", "a b", "\x1b[0m"} {
		e := &audit.Entry{
			Event: audit.Verdict, Scanner: "acme", Server: name, Target: name, Phase: "response", Action: "block",
			Findings: []audit.EntryFinding{{Rule: name, Pointer: "/content/0/text"}},
		}
		x := &explanation{Records: []audit.Entry{*e}}
		steps := x.nextSteps()
		if len(steps) != 1 {
			t.Fatalf("%q: %+v", name, steps)
		}
		file := filepath.Join(t.TempDir(), "relay.yaml")
		text := "mcpServers: {s: {command: x}}\n" + steps[0].YAML + "  scanners: [{name: acme, plugin: guard}]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Options{Path: file})
		if err != nil {
			t.Fatalf("%q: %v in\n%s", name, err, text)
		}
		except := &cfg.Relay.Exceptions[0]
		for _, other := range []string{name, "other", "a", "ab", ""} {
			got := except.Concerns("acme", other, verdict.Response) && except.Excepts(name, other, "/content/0/text", time.Now()) &&
				except.Excepts(other, name, "/content/0/text", time.Now())
			if got != (other == name) {
				t.Errorf("the exception for %q holds for %q: %t\n%s", name, other, got, steps[0].YAML)
			}
		}
	}
}

// TestTheExceptionOfTheFlowRule is one that the configuration takes: the relay is
// no scanner that it could name.
func TestTheExceptionOfTheFlowRule(t *testing.T) {
	const rule = "relay/cross-server-secret"
	x := &explanation{Records: []audit.Entry{{
		Event: audit.Verdict, Scanner: "relay", Reason: crossServerSecret, Server: "s", Target: "echo", Phase: "request", Action: "block",
		Findings: []audit.EntryFinding{{Rule: rule, Pointer: "/arguments/note"}},
	}}}
	steps := x.nextSteps()
	if len(steps) != 1 {
		t.Fatalf("%+v", steps)
	}
	file := filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(file, []byte("mcpServers: {s: {command: x}}\n"+steps[0].YAML), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{Path: file})
	if err != nil {
		t.Fatalf("%v in\n%s", err, steps[0].YAML)
	}
	except := &cfg.Relay.Exceptions[0]
	if !except.Concerns("relay", "s", verdict.Request) || !except.Excepts(rule, "echo", "/arguments/note", time.Now()) ||
		except.Concerns("relay", "other", verdict.Request) {
		t.Errorf("it does not fit:\n%s", steps[0].YAML)
	}
}
