package downstream

import (
	"slices"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// SetMirrors says which parameters of which tools the server wants to see in
// headers, by the names that it knows the tools by (MCP 2026-07-28, Streamable
// HTTP, custom headers from tool parameters). It replaces what was set before;
// the map must not be changed any more. It is safe for concurrent use.
func (i *httpInstance) SetMirrors(byTool map[string][]protocol.Mirror) { i.mirrors.Store(&byTool) }

// mirrored returns the headers that repeat what a message says. They are made
// of the bytes that leave and of nothing else: what was redacted in the message
// must not go out beside it.
func (i *httpInstance) mirrored(version string, c peer.Cleared) []protocol.Header {
	params := c.Body()
	if m, _, err := protocol.MetaOf(params); err == nil && m.Version != "" {
		version = m.Version
	}
	headers := protocol.StandardHeaders(version, c.Method(), params)
	byTool := i.mirrors.Load()
	if c.Method() != protocol.ToolsCall || byTool == nil {
		return headers
	}
	if ms := (*byTool)[protocol.TargetOf(protocol.ToolsCall, params).Value]; len(ms) > 0 {
		headers = slices.Concat(headers, protocol.MirrorHeaders(ms, params))
	}
	return headers
}
