package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// nodeModules names the variable with the directory that make interop fills.
const nodeModules = "RELAY_INTEROP_NODE_MODULES"

// site is a relay with two official servers behind it.
type site struct {
	modules string
	relay   string // program
	config  string // of the relay: what the client had before
	client  string // of the client, with the relay as its only server
	files   string // directory that server-filesystem serves
}

func newSite(t *testing.T) *site {
	t.Helper()
	modules := os.Getenv(nodeModules)
	if modules == "" {
		t.Skip("needs Node and programs from npm: run make interop")
	}
	dir := t.TempDir()
	s := &site{
		modules: modules, relay: filepath.Join(dir, "relay"),
		config: filepath.Join(dir, "claude_desktop_config.json"), files: filepath.Join(dir, "files"),
		client: filepath.Join(dir, "client.json"),
	}
	build := exec.Command("go", "build", "-o", s.relay, "github.com/mcp-relay/relay/cmd/relay")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the relay: %v\n%s", err, out)
	}
	if err := os.Mkdir(s.files, 0o700); err != nil {
		t.Fatal(err)
	}
	// The block as Claude Desktop has it, with other keys of that file beside it.
	config := map[string]any{
		"globalShortcut": "Ctrl+Space",
		"mcpServers": map[string]any{
			"everything": map[string]any{"command": "node", "args": []string{s.bin("mcp-server-everything")}},
			"files":      map[string]any{"command": "node", "args": []string{s.bin("mcp-server-filesystem"), s.files}},
		},
	}
	writeJSON(t, s.config, config)
	writeJSON(t, s.client, map[string]any{"mcpServers": map[string]any{
		"relay": map[string]any{"command": s.relay, "args": []string{"run", "--config", s.config}},
	}})
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	return s
}

func writeJSON(t *testing.T, path string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *site) bin(name string) string {
	path, err := filepath.EvalSymlinks(filepath.Join(s.modules, ".bin", name))
	if err != nil {
		return filepath.Join(s.modules, ".bin", name)
	}
	return path
}

// inspect runs the official inspector in CLI mode against the relay.
func (s *site) inspect(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := append([]string{s.bin("mcp-inspector"), "--cli", "--config", s.client, "--server", "relay"}, args...)
	cmd := exec.CommandContext(ctx, "node", all...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String() + errs.String()
	}
	return out.String()
}

func TestInspector(t *testing.T) {
	s := newSite(t)
	big := strings.Repeat("0123456789abcdef", 64<<10)
	if err := os.WriteFile(filepath.Join(s.files, "big.txt"), []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"list", []string{"--method", "tools/list"}, []string{`"everything__echo"`, `"files__read_text_file"`, `"$schema"`}},
		{"call", []string{"--method", "tools/call", "--tool-name", "everything__echo", "--tool-arg", "message=through the relay"}, []string{"through the relay"}},
		{"error", []string{"--method", "tools/call", "--tool-name", "files__read_text_file", "--tool-arg", "path=/etc/passwd"}, []string{`"isError": true`, "denied"}},
		{"unknown tool", []string{"--method", "tools/call", "--tool-name", "files__nothing"}, []string{"files__nothing"}},
		{"large result", []string{"--method", "tools/call", "--tool-name", "files__read_text_file", "--tool-arg", "path=" + filepath.Join(s.files, "big.txt")}, []string{big}},
		{"prompts", []string{"--method", "prompts/list"}, []string{`"everything__`}},
		{"resources", []string{"--method", "resources/list"}, []string{`"uri"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.inspect(t, tt.args...)
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %.80s:\n%.2000s", want, got)
				}
			}
		})
	}
}

func TestMCPGoClient(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stdio := transport.NewStdio(s.relay, os.Environ(), "run", "--config", s.config)
	c := client.NewClient(stdio)
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}()
	var mu sync.Mutex
	var progress []string
	c.OnNotification(func(n mcp.JSONRPCNotification) {
		mu.Lock()
		defer mu.Unlock()
		progress = append(progress, n.Method)
	})
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = "2025-11-25"
	hello.Params.ClientInfo = mcp.Implementation{Name: "interop", Version: "1"}
	if _, err := c.Initialize(ctx, hello); err != nil {
		t.Fatal(err)
	}
	tools, err := c.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var long string
	for _, tool := range tools.Tools {
		if strings.Contains(tool.Name, "long-running") {
			long = tool.Name
		}
	}
	if long == "" || len(tools.Tools) < 20 {
		t.Fatalf("%d tools, none of them long-running", len(tools.Tools))
	}
	var call mcp.CallToolRequest
	call.Params.Name = long
	call.Params.Arguments = map[string]any{"duration": 1, "steps": 4}
	call.Params.Meta = &mcp.Meta{ProgressToken: "my-token"}
	result, err := c.CallTool(ctx, call)
	if err != nil || result.IsError {
		t.Fatalf("the call failed: %v %+v", err, result)
	}
	mu.Lock()
	defer mu.Unlock()
	n := 0
	for _, method := range progress {
		if method == "notifications/progress" {
			n++
		}
	}
	if n < 3 {
		t.Errorf("progress came %d times: %s", n, progress)
	}
}
