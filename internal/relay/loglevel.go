package relay

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// setLevel passes the log level that a client wants on to every server that
// logs.
func (c *Client) setLevel(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	level := stringMember(m.Params, "level")
	if !protocol.LogLevel(level) {
		r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeInvalidParams, "unknown log level")))
		return
	}
	params := append([]byte(`{"level":`), jsonrpc.AppendString(nil, level)...)
	cleared := r.author(peer.Params, protocol.SetLevel, append(params, '}'))
	r.level.Store(&cleared) // for servers that come later, see server.up
	for _, s := range r.servers {
		if l := s.current.Load(); l != nil {
			r.tellLevel(l)
		}
	}
	r.answer(req, r.author(peer.Result, m.Method, []byte("{}")))
}

// tellLevel tells a server that logs the level that the client wants, if it
// wants one. The answer says nothing that the client could use.
func (r *Relay) tellLevel(l *link) {
	if level := r.level.Load(); level != nil && l.capable("logging") {
		l.conn.Call(*level, func(peer.Reply) {})
	}
}
