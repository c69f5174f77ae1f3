// Command gosdk is a client on the official Go SDK: gosdk URL | COMMAND ARG...
// It does what a client does and prints what it got as one line of JSON. It is a
// module of its own, so that the relay's needs no second MCP library.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// report is what the client got.
type report struct {
	mu        sync.Mutex
	Tools     int      `json:"tools"`
	Prompts   int      `json:"prompts"`
	Resources int      `json:"resources"`
	Text      string   `json:"text"`
	Progress  int      `json:"progress"`
	Prompt    int      `json:"prompt"`
	Resource  int      `json:"resource"`
	Asked     []string `json:"asked"`
	Answers   []string `json:"answers"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var r report
	if err := r.run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		cancel()
		os.Exit(1) //nolint:gocritic // what was deferred has run
	}
}

func (r *report) options() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			r.asked("elicitation")
			content := map[string]any{"name": "Alice", "username": "alice", "email": "a@example.com"}
			return &mcp.ElicitResult{Action: "accept", Content: content}, nil
		},
		//nolint:staticcheck // deprecated in the protocol, and in use
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			r.asked("sampling")
			content := &mcp.TextContent{Text: "four"}
			return &mcp.CreateMessageResult{Role: "assistant", Content: content, Model: "interop"}, nil //nolint:staticcheck // as above
		},
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.Progress++
		},
	}
}

func (r *report) asked(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Asked = append(r.Asked, what)
}

func (r *report) run(ctx context.Context, args []string) error {
	client := mcp.NewClient(&mcp.Implementation{Name: "interop", Version: "1"}, r.options())
	var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: args[0]}
	if !strings.HasPrefix(args[0], "http") {
		//nolint:gosec // the test says what to run
		transport = &mcp.CommandTransport{Command: exec.CommandContext(ctx, args[0], args[1:]...)}
	}
	s, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := r.lists(ctx, s); err != nil {
		return err
	}
	if err := r.calls(ctx, s); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, string(text)) //nolint:forbidigo // its output is what it is for
	return err
}

func (r *report) lists(ctx context.Context, s *mcp.ClientSession) error {
	tools, err := s.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	prompts, err := s.ListPrompts(ctx, nil)
	if err != nil {
		return err
	}
	resources, err := s.ListResources(ctx, nil)
	if err != nil {
		return err
	}
	r.Tools, r.Prompts, r.Resources = len(tools.Tools), len(prompts.Prompts), len(resources.Resources)
	return nil
}

func (r *report) calls(ctx context.Context, s *mcp.ClientSession) error {
	simple, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "test_simple_text", Arguments: map[string]any{}})
	if err != nil {
		return err
	}
	r.Text = text(simple)
	call := &mcp.CallToolParams{Name: "test_tool_with_progress", Arguments: map[string]any{}}
	call.SetProgressToken("mine")
	if _, err := s.CallTool(ctx, call); err != nil {
		return err
	}
	prompt, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: "test_simple_prompt"})
	if err != nil {
		return err
	}
	resource, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-text"})
	if err != nil {
		return err
	}
	r.Prompt, r.Resource = len(prompt.Messages), len(resource.Contents)
	var questions [][2]json.RawMessage
	if err := json.Unmarshal([]byte(os.Getenv("QUESTIONS")), &questions); err != nil {
		return err
	}
	for _, q := range questions {
		var name string
		if err := json.Unmarshal(q[0], &name); err != nil {
			return err
		}
		answer, err := s.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: q[1]})
		if err != nil {
			return err
		}
		r.Answers = append(r.Answers, text(answer))
	}
	return nil
}

func text(result *mcp.CallToolResult) string {
	var all []string
	for _, c := range result.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			all = append(all, t.Text)
		}
	}
	return strings.Join(all, " ")
}
