package relay

import (
	"slices"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// setLevel notes from which level on a legacy client wants log messages, and
// has every server that logs say at least that much.
func (c *Client) setLevel(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	level := jsonrpc.StringMember(m.Params, "level")
	if !protocol.LogLevel(level) {
		r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeInvalidParams, "unknown log level")))
		return
	}
	c.session.SetLogLevel(level)
	for _, s := range r.servers() {
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
	if wanted != "" {
		l.setLevel(wanted, func(told string) bool { return told != wanted })
	}
}

// wantLevel has a server of the legacy era log at least from a level on, as a
// request of a modern client asks. Clients that want less get less.
func (s *server) wantLevel(l *link, level string) {
	if level == "" || l.modern() || !l.capable("logging") {
		return
	}
	l.setLevel(level, func(told string) bool { return told == "" || !reaches(level, told) })
}

// setLevel tells the server a level when what it was told last, empty: nothing,
// calls for that.
func (l *link) setLevel(level string, needed func(told string) bool) {
	l.mu.Lock()
	tell := needed(l.level)
	if tell {
		l.level = level
	}
	l.mu.Unlock()
	if tell {
		l.start(protocol.SetLevel, append(append([]byte(`{"level":"`), level...), `"}`...))
	}
}

// reaches reports whether a message of one level is for whoever wants another
// and what is graver. An unknown level is.
func reaches(level, wanted string) bool {
	at := slices.Index(protocol.LogLevels[:], level)
	return at < 0 || at >= slices.Index(protocol.LogLevels[:], wanted)
}

// logged passes a log message on to those who want its level.
func (s *server) logged(m jsonrpc.Message, x *exchange) {
	var sess *session.Session
	if x == nil {
		x, sess, _ = s.onlyCaller()
	}
	level := jsonrpc.StringMember(m.Params, "level")
	switch {
	case x != nil:
		if x.wantsLog(level) {
			x.tell(m.Method, m.Params, nil)
		}
	case sess != nil:
		if wanted := sess.Sender().LogLevel; wanted == "" || reaches(level, wanted) {
			s.tell(m, func(c peer.Cleared) { s.relay.reached(sess.Notify(c)) })
		}
	case s.relay.onePrincipal():
		s.tell(m, func(c peer.Cleared) { s.relay.broadcastLog(c, level) })
	default:
		s.anomaly("notification_of_no_client")
	}
}

// wantsLog reports whether the client of the call wants log messages of a level.
func (x *exchange) wantsLog(level string) bool {
	x.mu.Lock()
	req, modern, wanted := x.req, true, ""
	if req == nil {
		wanted = x.parked.level // of who will come back
	}
	x.mu.Unlock()
	if req != nil {
		modern, wanted = req.Modern(), req.Sender().LogLevel
	}
	if wanted == "" {
		return !modern
	}
	return reaches(level, wanted)
}
