package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// mcpgoServer is a server on mcp-go, whose parser takes differently cased
// spellings for one name. What it runs it writes into the file.
func mcpgoServer(path string) int {
	s := server.NewMCPServer("mcpgo", "1")
	for _, name := range []string{"safe", "danger"} {
		s.AddTool(mcp.NewTool(name), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return nil, err
			}
			defer func() { _ = f.Close() }()
			_, err = fmt.Fprintln(f, name)
			return mcp.NewToolResultText("ran " + name), err
		})
	}
	if err := server.ServeStdio(s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}

// TestOneMeaning sends what parsers read differently to a server that reads it
// the other way: what was not judged as danger never runs.
func TestOneMeaning(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	p := startProgram(t, object("mcpServers", object("m", hostileProgram("mcpgo", ran)), "relay", noopOnly()))
	if err := p.Handshake(); err != nil {
		t.Fatal(err)
	}
	if tools, _, err := p.Tools(); err != nil || len(tools) != 2 {
		t.Fatalf("tools %s: %v\n%s", tools, err, p.stderr)
	}
	frames := []string{
		`{"jsonrpc":"2.0","id":100,"method":"tools/call","params":{"name":"m__safe","Name":"danger"}}`,
		`{"jsonrpc":"2.0","id":101,"method":"tools/call","params":{"name":"m__safe","NAME":"danger"}}`,
		`{"jsonrpc":"2.0","id":102,"method":"tools/call","params":{"name":"m__safe","n\u0041me":"danger"}}`,
		`{"jsonrpc":"2.0","id":103,"method":"tools/call","params":{"name":"m__safe","name":"danger"}}`,
		`{"jsonrpc":"2.0","id":104,"method":"tools/call","params":{"name":"m__safe","\u006eame":"danger"}}`,
		`{"jsonrpc":"2.0","id":105,"method":"ping","Method":"tools/call","params":{"name":"danger"}}`,
		`{"jsonrpc":"2.0","id":106,"method":"tools/call","params":{"name":"m__safe"},"Params":{"name":"danger"}}`,
		`{"jsonrpc":"2.0","id":107,"method":"tools/call","params":{"name":"m__safe"},"paramſ":{"name":"danger"}}`,
		`{"jsonrpc":"2.0","id":108,"method":"tools/call","params":{"name":"m__safe"},"param\u017f":{"name":"danger"}}`,
		`[{"jsonrpc":"2.0","id":109,"method":"tools/call","params":{"name":"danger"}}]`,
		`{"jsonrpc":"2.0","id":110,"method":"tools/call","params":{"name":"danger"}}`,
		`{"jsonrpc":"2.0","id":111,"method":"tools/call","params":{"name":"m__Danger"}}`,
	}
	answers := bufio.NewScanner(p.out)
	for _, frame := range frames {
		if _, err := fmt.Fprintln(p.in, frame); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || !strings.Contains(answers.Text(), `"error":{"code":-32`) {
			t.Errorf("%s: %s", frame, answers.Text())
		}
	}
	if text, err := os.ReadFile(ran); err == nil {
		t.Errorf("the server ran %q", text)
	}
	// The server is alive, and what is judged is what runs.
	fmt.Fprintln(p.in, `{"jsonrpc":"2.0","id":200,"method":"tools/call","params":{"name":"m__danger","arguments":{"Name":"safe"}}}`)
	if !answers.Scan() || !strings.Contains(answers.Text(), "ran danger") {
		t.Errorf("got %s", answers.Text())
	}
	record, _ := os.ReadFile(p.audit)
	if !strings.Contains(string(record), `"target":"danger"`) || strings.Contains(string(record), `"target":"safe"`) {
		t.Errorf("recorded %s", record)
	}
}
