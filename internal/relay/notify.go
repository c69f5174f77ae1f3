package relay

import (
	"context"
	"log/slog"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// phaseOf returns the phase in which a message that has no id is judged. What is
// not named as a notification may be a request whose id was left out, and some
// servers and clients do as it says all the same.
func phaseOf(method string, request verdict.Phase) verdict.Phase {
	if strings.HasPrefix(method, "notifications/") {
		return verdict.Notification
	}
	return request
}

// forwardNotification relays a notification of a client to the server that it
// belongs to. One that belongs to nobody is dropped.
func (r *Relay) forwardNotification(sess *session.Session, m jsonrpc.Message) {
	target := protocol.TargetOf(m.Method, m.Params)
	to, f := r.find(sess.Principal(), strings.TrimPrefix(m.Method, "notifications/"), target)
	if f != found || to.link == nil || r.sneaks(to.server, strings.TrimPrefix(m.Method, "notifications/"), m.Params) {
		r.log.Debug("a notification of the client belongs to no server")
		return
	}
	if to.rename {
		m.Params = target.Rename(m.Params, to.name)
	}
	to.link.notify(sess, m, to.name)
}

// notify has a client's notification judged and sends it to the server, in
// order.
func (l *link) notify(sess *session.Session, m jsonrpc.Message, target string) {
	s, sender := l.receiver.server, sess.Sender()
	subject := &scan.Subject{
		Part: peer.Params, Hidden: s.cfg.Hidden, ToServer: true,
		Content: verdict.Content{
			Phase: phaseOf(m.Method, verdict.Request), Kind: verdict.JSON, Data: m.Params,
			Origin: verdict.Origin{
				Session: sess.Conversation(), Principal: sess.Principal(), Client: sender.Name, Server: s.cfg.Name,
				Method: m.Method, Target: target, ProtocolVersion: sender.Version,
			},
		},
	}
	place := s.outLane.reserve()
	s.relay.gate.Judge(context.Background(), subject, func(d scan.Decision) {
		s.outLane.fill(place, func() {
			if d.Outcome != scan.Passed {
				return
			}
			if err := l.conn.Notify(d.Cleared); err != nil {
				s.relay.log.Debug("a notification did not reach its server", slog.Any("error", err))
			}
		})
	})
}

// progressed passes on a client's progress with a server's request. The token
// is the server's: it is for the one that asked this client under that token.
func (c *Client) progressed(m jsonrpc.Message) {
	if len(m.Params) == 0 || m.Params[0] != '{' {
		return
	}
	token, ok := jsonrpc.Member(m.Params, "progressToken")
	if !ok {
		return
	}
	var to *link
	for _, s := range c.relay.servers() {
		l := s.current.Load()
		if l == nil || !l.questions.wantProgress(c.session, token) {
			continue
		}
		if to != nil {
			return // two servers chose the same token, and neither gets the other's
		}
		to = l
	}
	if to != nil {
		to.notify(c.session, m, "")
	}
}

// rootsChanged tells the servers of the legacy era that a client's roots
// changed: those that may ask for them.
func (c *Client) rootsChanged() {
	for _, s := range c.relay.servers() {
		l := s.current.Load()
		if l == nil || l.modern() || !s.cfg.MayAsk.Has(protocol.Roots) {
			continue
		}
		c.relay.reached(l.conn.Notify(c.relay.author(peer.Params, protocol.RootsListChanged, nil)))
	}
}
