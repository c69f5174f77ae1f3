package relay

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
)

// scanMeta is the member of a tool result's _meta that says under which id the
// audit record tells what was redacted or taken out of the result.
const scanMeta = "mcp-relay/scan_id"

// marked returns the answer that passed. The result of a tool of which something
// is missing says so: a person can then find the reason. Every other answer is
// the server's, byte for byte.
func (x *exchange) marked(d *scan.Decision) peer.Cleared {
	if !d.Changed || x.method != protocol.ToolsCall || d.Cleared.Part() != peer.Result {
		return d.Cleared
	}
	result := d.Cleared.Body()
	meta, there := jsonrpc.ObjectMember(result, "_meta")
	if _, other := jsonrpc.Member(result, "_meta"); other && !there {
		return d.Cleared // not what the protocol says: nothing can be put into it
	}
	meta = jsonrpc.SetMember(meta, scanMeta, jsonrpc.AppendString(nil, d.ScanID))
	return x.relay.author(peer.Result, x.method, jsonrpc.SetMember(result, "_meta", meta))
}
