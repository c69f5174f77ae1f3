package downstream

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// TestLibraryOfTheModernEra speaks the modern era with a server that checks the
// headers against the body.
func TestLibraryOfTheModernEra(t *testing.T) {
	s := library()
	schema := `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}},"required":["region"]}`
	s.AddTool(mcp.NewToolWithRawSchema("sql", "", []byte(schema)), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("region " + r.GetString("region", "")), nil
	})
	handler := server.NewStreamableHTTPServer(s, server.WithStateLess(true))
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		handler.ServeHTTP(w, r)
	})
	n := &notes{}
	i := modern(t, HTTP{URL: url + "/mcp"}, n)
	const sender = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientInfo":{"name":"relay","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	if got := result(t, i, request(protocol.Discover, `{`+sender+`}`)); !strings.Contains(got, "2026-07-28") {
		t.Fatalf("server/discover: %s", got)
	}
	if got := result(t, i, request(protocol.ToolsList, `{`+sender+`}`)); !strings.Contains(got, `"x-mcp-header"`) {
		t.Errorf("tools/list: %s", got)
	}
	call := `{"name":"sql","arguments":{"region":"ü"},` + sender + `}`
	if got := result(t, i, request(protocol.ToolsCall, call)); !strings.Contains(got, "error: ") || !strings.Contains(got, "-32020") {
		t.Errorf("a call without its header: %s", got)
	}
	mirrors, err := protocol.Mirrors([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	i.SetMirrors(map[string][]protocol.Mirror{"sql": mirrors})
	if got := result(t, i, request(protocol.ToolsCall, call)); !strings.Contains(got, "region ü") {
		t.Errorf("a call with its header: %s", got)
	}
	if got := result(t, i, request("no/such", `{`+sender+`}`)); !strings.Contains(got, "error: ") || !strings.Contains(got, "-32601") {
		t.Errorf("an unknown method: %s", got)
	}
	heard := &notes{}
	listening, replies := askAs(t, i, heard, request(protocol.Listen, `{"notifications":{"toolsListChanged":true},`+sender+`}`))
	heard.eventually(t, "notification "+protocol.Acknowledged)
	s.AddTool(mcp.NewTool("another"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New("not called")
	})
	heard.eventually(t, "notification "+protocol.ToolsListChanged)
	listening.Abandon(context.Canceled)
	await(t, replies)
	for _, r := range seen.all() {
		if r.Method != http.MethodPost || r.Header.Get(sessionHeader) != "" {
			t.Errorf("the server saw %s %v", r.Method, r.Header)
		}
	}
	if got := n.all(); len(got) != 0 {
		t.Errorf("the handler heard %q", got)
	}
}

// TestLibraryOverSSE speaks the old transport. This server cannot ask on it.
func TestLibraryOverSSE(t *testing.T) {
	for name, option := range map[string]server.SSEOption{
		"relative endpoint": server.WithUseFullURLForMessageEndpoint(false),
		"keep-alive":        server.WithKeepAliveInterval(20 * time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			handler := server.NewSSEServer(library(), server.WithBaseURL(""), option)
			url := serve(t, handler.ServeHTTP)
			n := &notes{}
			i, err := oldSettings(url+"/sse").Dial(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close(0)
			const hello = `{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"relay","version":"1"}}`
			if got := result(t, i, request(protocol.Initialize, hello)); !strings.Contains(got, `"name":"library"`) {
				t.Fatalf("initialize: %s", got)
			}
			i.SetProtocolVersion("2024-11-05")
			if err := i.Notify(request(protocol.Initialized, "")); err != nil {
				t.Fatal(err)
			}
			if got := result(t, i, request(protocol.ToolsList, "{}")); !strings.Contains(got, `"name":"news"`) {
				t.Errorf("tools/list: %s", got)
			}
			if got := result(t, i, request(protocol.ToolsCall, `{"name":"news","arguments":{}}`)); !strings.Contains(got, `"done"`) {
				t.Errorf("tools/call: %s", got)
			}
			n.eventually(t, `"progress":0`, `"progress":1`, `"progress":2`)
			if got := result(t, i, request("no/such", "{}")); !strings.Contains(got, "error: ") || !strings.Contains(got, "-32601") {
				t.Errorf("an unknown method: %s", got)
			}
			if slices.ContainsFunc(n.all(), func(s string) bool { return strings.HasPrefix(s, "anomaly") }) {
				t.Errorf("anomalies: %q", n.all())
			}
			handler.CloseSessions()
			awaitDone(t, i)
		})
	}
}

// TestLibraryOfTheOldTransportIsTold probes a server of the old transport as if
// it were one of the new.
func TestLibraryOfTheOldTransportIsTold(t *testing.T) {
	handler := server.NewSSEServer(library())
	url := serve(t, handler.ServeHTTP) + "/sse"
	i := modern(t, HTTP{URL: url, FallbackSSE: true}, &notes{})
	for _, method := range []string{protocol.Discover, protocol.Initialize} {
		_, replies := ask(t, i, request(method, `{`+meta+`}`))
		if r := await(t, replies); !errors.Is(r.Err, ErrOldTransport) || !errors.Is(r.Err, peer.ErrStatus) {
			t.Errorf("%s: %+v", method, r)
		}
		i.SetProtocolVersion("")
	}
}
