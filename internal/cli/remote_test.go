package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// remoteMCP is an MCP server elsewhere, of one era, that writes down the headers
// and bodies that it gets.
type remoteMCP struct {
	*httptest.Server
	modern bool
	// admit, where there is one, may answer a request itself; it returns false
	// then.
	admit func(w http.ResponseWriter, r *http.Request) bool

	mu  sync.Mutex
	got []http.Header
	all strings.Builder
}

// What a remote server says that is nobody's business.
const answerCanary = "header-of-the-server-canary"

func startRemote(t *testing.T, modern bool, admit func(w http.ResponseWriter, r *http.Request) bool) *remoteMCP {
	t.Helper()
	s := &remoteMCP{modern: modern, admit: admit}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// heard returns everything that the server got, and the headers of each request.
func (s *remoteMCP) heard() (string, []http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String(), s.got
}

func (s *remoteMCP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if s.admit != nil && !s.admit(w, r) {
		return
	}
	s.mu.Lock()
	s.got = append(s.got, r.Header)
	fmt.Fprintln(&s.all, r.Method, r.URL, r.Host, r.Header, string(body))
	s.mu.Unlock()
	m, err := jsonrpc.Parse(body, nil)
	if err != nil || r.Method != http.MethodPost || m.Kind() != jsonrpc.Request {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Canary", answerCanary)
	header.Set("Set-Cookie", "c="+answerCanary)
	header.Set("WWW-Authenticate", answerCanary)
	const announced = `"capabilities":{"tools":{}},"serverInfo":{"name":"remote","version":"1"}`
	var result string
	switch {
	case m.Method == protocol.Initialize && !s.modern:
		header.Set("Mcp-Session-Id", answerCanary)
		result = `{"protocolVersion":"2025-11-25",` + announced + `}`
	case m.Method == protocol.Discover && s.modern:
		result = `{"resultType":"complete","supportedVersions":["2026-07-28"],` + announced + `,"ttlMs":31536000000,"cacheScope":"public"}`
	case m.Method == protocol.ToolsList:
		result = `{"tools":[{"name":"echo","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}],` +
			`"resultType":"complete","ttlMs":31536000000,"cacheScope":"public"}`
	case m.Method == protocol.ToolsCall:
		result = `{"content":[{"type":"text","text":"echo"}],"resultType":"complete"}`
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(jsonrpc.AppendError(nil, m.ID, []byte(`{"code":-32601,"message":"method not found"}`)))
		return
	}
	_, _ = w.Write(jsonrpc.AppendResult(nil, m.ID, []byte(result)))
}
