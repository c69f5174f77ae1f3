package relay

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// programName is what the relay calls itself towards both sides.
const programName = "mcp-relay"

// initialize answers a client's handshake at once: clients give up early, and
// what the servers offer is announced with list_changed when it is known.
func (c *Client) initialize(req *session.Request, params []byte) {
	asked := stringMember(params, "protocolVersion")
	version := protocol.Negotiate(asked)
	var name string
	if info, ok := objectMember(params, "clientInfo"); ok {
		name = stringMember(info, "name")
	}
	c.session.Introduce(name, version)

	body := append([]byte(`{"protocolVersion":`), jsonrpc.AppendString(nil, version)...)
	body = append(body, `,"capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},`+
		`"resources":{"listChanged":true},"logging":{},"completions":{}},"serverInfo":`...)
	body = append(body, c.relay.implementation()...)
	body = append(body, '}')
	c.relay.answer(req, c.relay.author(peer.Result, protocol.Initialize, body))
}

// implementation returns the relay's name and version as MCP has it.
func (r *Relay) implementation() []byte {
	out := append([]byte(`{"name":"`+programName+`","version":`), jsonrpc.AppendString(nil, r.opts.Version)...)
	return append(out, '}')
}

// handshakeParams returns the params of the relay's own handshake with a
// server. It offers no capabilities: the relay asks clients nothing.
func (r *Relay) handshakeParams() []byte {
	out := []byte(`{"protocolVersion":"` + protocol.LatestLegacy + `","capabilities":{},"clientInfo":`)
	return append(append(out, r.implementation()...), '}')
}

func objectMember(object []byte, name string) ([]byte, bool) {
	if len(object) == 0 || object[0] != '{' {
		return nil, false
	}
	raw, ok := jsonrpc.Member(object, name)
	return raw, ok && len(raw) > 0 && raw[0] == '{'
}

func stringMember(object []byte, name string) string {
	if len(object) == 0 || object[0] != '{' {
		return ""
	}
	raw, ok := jsonrpc.Member(object, name)
	if !ok {
		return ""
	}
	s, _ := jsonrpc.Unquote(raw)
	return s
}
