package relay

import (
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// setLevel notes from which level on a legacy client wants log messages, and
// has every server that logs say at least that much.
func (c *Client) setLevel(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	level := stringMember(m.Params, "level")
	if !protocol.LogLevel(level) {
		r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeInvalidParams, "unknown log level")))
		return
	}
	c.session.SetLogLevel(level)
	for _, s := range r.servers {
		if l := s.current.Load(); l != nil {
			s.tellLevel(l)
		}
	}
	r.answer(req, r.author(peer.Result, m.Method, []byte("{}")))
}

// tellLevel tells a server of the legacy era the most talkative level that any
// client wants, if one does. The answer says nothing that the client could use.
func (s *server) tellLevel(l *link) {
	if l.modern() || !l.capable("logging") {
		return
	}
	wanted := ""
	s.relay.mu.Lock()
	for c := range s.relay.clients {
		if level := c.session.Sender().LogLevel; level != "" && (wanted == "" || reaches(wanted, level)) {
			wanted = level
		}
	}
	s.relay.mu.Unlock()
	if wanted == "" {
		return
	}
	l.mu.Lock()
	tell := l.level != wanted
	l.level = wanted
	l.mu.Unlock()
	if tell {
		l.start(protocol.SetLevel, append(append([]byte(`{"level":"`), wanted...), `"}`...))
	}
}

// wantLevel has a server of the legacy era log at least from a level on, as a
// request of a modern client asks. Clients that want less get less.
func (s *server) wantLevel(l *link, level string) {
	if level == "" || l.modern() || !l.capable("logging") {
		return
	}
	l.mu.Lock()
	tell := l.level == "" || !reaches(level, l.level)
	if tell {
		l.level = level
	}
	l.mu.Unlock()
	if tell {
		l.start(protocol.SetLevel, append(append([]byte(`{"level":"`), level...), `"}`...))
	}
}

// logLevels are the protocol's, the most talkative first.
var logLevels = [...]string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// reaches reports whether a message of one level is for whoever wants another
// and what is graver. An unknown level is.
func reaches(level, wanted string) bool {
	at, from := len(logLevels), 0
	for i, l := range logLevels {
		if l == level {
			at = i
		}
		if l == wanted {
			from = i
		}
	}
	return at >= from
}
