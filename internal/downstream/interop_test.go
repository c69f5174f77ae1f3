package downstream

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// library is a server made with mcp-go.
func library() *server.MCPServer {
	s := server.NewMCPServer("library", "1", server.WithElicitation())
	s.AddTool(mcp.NewTool("news"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for n := range 3 {
			if err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": "t", "progress": n}); err != nil {
				return nil, fmt.Errorf("sending a notification: %w", err)
			}
		}
		return mcp.NewToolResultText("done"), nil
	})
	s.AddTool(mcp.NewTool("ask"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: mcp.ElicitationParams{
			Message: "sure?", RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}},
		}})
		if err != nil {
			return nil, fmt.Errorf("asking: %w", err)
		}
		return mcp.NewToolResultText(string(answer.Action)), nil
	})
	return s
}

func runLibrary() {
	if err := server.ServeStdio(library()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(6)
	}
}

func TestLibraryOverStdio(t *testing.T) {
	n := &notes{}
	i := dial(t, spec("library"), n)
	speakWithLibrary(t, i, n)
	n.eventually(t, `"progress":0`, `"progress":1`, `"progress":2`)
}

// TestLibraryOverHTTP does not count notifications: this server loses some that
// compete with an answer.
func TestLibraryOverHTTP(t *testing.T) {
	handler := server.NewStreamableHTTPServer(library(), server.WithStateful(true))
	var deleted atomic.Bool
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		deleted.Store(deleted.Load() || r.Method == http.MethodDelete)
		handler.ServeHTTP(w, r)
	})
	n := &notes{}
	i := connect(t, HTTP{URL: url + "/mcp"}, n)
	speakWithLibrary(t, i, n)
	session := i.agreed.session
	i.Close(patience)
	if session == "" || !deleted.Load() {
		t.Errorf("session %q, deleted: %t", session, deleted.Load())
	}
	// A session that the server does not know any more is an end, not an answer.
	again := connect(t, HTTP{URL: url + "/mcp"}, &notes{})
	again.agreed.session = session
	if got := result(t, again, request(protocol.ToolsList, "{}")); got != "failed: "+peer.ErrGone.Error() {
		t.Errorf("after the end: %s", got)
	}
	awaitDone(t, again)
}

func speakWithLibrary(t *testing.T, i Instance, n *notes) {
	t.Helper()
	n.on = func(m jsonrpc.Message) {
		answer := peer.Clear(peer.Result, m.Method, []byte(`{"action":"accept","content":{}}`))
		if err := i.Answer(m.ID, answer); err != nil {
			t.Error(err)
		}
	}
	const hello = `{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"relay","version":"1"}}`
	if got := result(t, i, request(protocol.Initialize, hello)); !strings.Contains(got, `"name":"library"`) {
		t.Fatalf("initialize: %s", got)
	}
	i.SetProtocolVersion("2025-11-25")
	if err := i.Notify(request(protocol.Initialized, "")); err != nil {
		t.Fatal(err)
	}
	if got := result(t, i, request(protocol.ToolsList, "{}")); !strings.Contains(got, `"name":"news"`) {
		t.Errorf("tools/list: %s", got)
	}
	if got := result(t, i, request(protocol.ToolsCall, `{"name":"news","arguments":{}}`)); !strings.Contains(got, `"done"`) {
		t.Errorf("tools/call: %s", got)
	}
	if got := result(t, i, request(protocol.ToolsCall, `{"name":"ask","arguments":{}}`)); !strings.Contains(got, `"accept"`) {
		t.Errorf("a call with a question: %s", got)
	}
	if got := result(t, i, request("no/such", "{}")); !strings.Contains(got, "error: ") || !strings.Contains(got, "-32601") {
		t.Errorf("an unknown method: %s", got)
	}
	if slices.ContainsFunc(n.all(), func(s string) bool { return strings.HasPrefix(s, "anomaly") }) {
		t.Errorf("anomalies: %q", n.all())
	}
}
