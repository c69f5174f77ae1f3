package thirdparty

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// TestMain lets this test binary be the server behind the relay.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "__server" {
		s := server.NewMCPServer("echo", "1.0.0")
		s.AddTool(mcp.NewTool("echo", mcp.WithString("text")), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText(r.GetString("text", "")), nil
		})
		if err := server.ServeStdio(s); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// buildRelay builds the program as users get it.
func buildRelay(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relay")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/mcp-relay/relay/cmd/relay").CombinedOutput(); err != nil {
		t.Fatalf("build the relay: %v\n%s", err, out)
	}
	return path
}

// installed has the relay take a scanner into its own directory, and returns what
// a configuration names it by.
func installed(t *testing.T, relay, source string, args ...string) string {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	install := exec.Command(relay, append([]string{"plugin", "install", "--yes", source}, args...)...)
	var said strings.Builder
	install.Stderr = &said
	name, err := install.Output()
	if err != nil {
		t.Fatalf("install the scanner: %v\n%s", err, &said)
	}
	return strings.TrimSpace(string(name))
}

// blocks has a call with the word blocked by the scanner, and one without pass.
func blocks(t *testing.T, relay, scanner string) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"mcpServers": map[string]any{"echo": map[string]any{"command": own, "args": []string{"__server"}}},
		"relay": map[string]any{"scanners": []any{map[string]any{
			"name": "words", "plugin": scanner, "config": map[string]any{"words": []string{"hunter2"}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "relay.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	audit := filepath.Join(dir, "audit.jsonl")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	env := append(os.Environ(), "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	c := client.NewClient(transport.NewStdio(relay, env, "run", "--config", file, "--audit", audit))
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: mcp.LATEST_PROTOCOL_VERSION, ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
	}}); err != nil {
		t.Fatal(err)
	}
	if said, failed := call(ctx, t, c, "it is sunny"); failed || !strings.Contains(said, "it is sunny") {
		t.Errorf("a call without the word got %q, error %t", said, failed)
	}
	if said, failed := call(ctx, t, c, "it is hunter2"); !failed || strings.Contains(said, "hunter2") {
		t.Errorf("a call with the word got %q, error %t", said, failed)
	}
	record, err := os.ReadFile(audit)
	if err != nil || !strings.Contains(string(record), `"block"`) || strings.Contains(string(record), "hunter2") {
		t.Errorf("the audit record: %v\n%s", err, record)
	}
}

func call(ctx context.Context, t *testing.T, c *client.Client, text string) (said string, failed bool) {
	t.Helper()
	r, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "echo__echo", Arguments: map[string]any{"text": text}}})
	if err != nil {
		return err.Error(), true
	}
	return fmt.Sprint(r.Content), r.IsError
}
