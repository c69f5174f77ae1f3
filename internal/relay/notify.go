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
	if f != found || to.link == nil {
		r.log.Debug("a notification of the client belongs to no server")
		return
	}
	params := m.Params
	if to.rename {
		params = target.Rename(params, to.name)
	}
	sender := sess.Sender()
	s := &scan.Subject{
		Part: peer.Params, Hidden: to.server.cfg.Hidden,
		Content: verdict.Content{
			Phase: phaseOf(m.Method, verdict.Request), Kind: verdict.JSON, Data: params,
			Origin: verdict.Origin{
				Session: sess.ID(), Principal: sess.Principal(), Client: sender.Name, Server: to.server.cfg.Name,
				Method: m.Method, Target: to.name, ProtocolVersion: sender.Version,
			},
		},
	}
	place := to.server.outLane.reserve()
	r.gate.Judge(context.Background(), s, func(d scan.Decision) {
		to.server.outLane.fill(place, func() {
			if d.Outcome != scan.Passed {
				return
			}
			if err := to.link.conn.Notify(d.Cleared); err != nil {
				r.log.Debug("a notification did not reach its server", slog.Any("error", err))
			}
		})
	})
}
