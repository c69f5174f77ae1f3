package relay

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// receiver takes what a server says by itself.
type receiver struct {
	server *server
	link   atomic.Pointer[link] // nil for a moment, until Dial has returned
}

var _ peer.Handler = (*receiver)(nil)

// Request implements peer.Handler.
func (h *receiver) Request(m jsonrpc.Message) { h.request(m, nil) }

// Notification implements peer.Handler.
func (h *receiver) Notification(m jsonrpc.Message) { h.notification(m, nil) }

// request takes a request of the server; x is the call on whose stream it came,
// nil: none's.
func (h *receiver) request(m jsonrpc.Message, x *exchange) {
	l := h.link.Load()
	switch {
	case l == nil: // it was not greeted yet: nothing is owed
	case l.modern():
		h.Anomaly("request_in_modern_era")
	case m.Method == protocol.Ping:
		h.answerServer(l, m.ID, h.server.relay.author(peer.Result, m.Method, []byte("{}")))
	case !protocol.WellFormed(m.Method), protocol.Disguised(m.Method):
		h.Anomaly("malformed_method")
		h.refuseServer(l, m, protocol.CodeMethodNotFound, "method not found")
	default:
		h.ask(l, m, x)
	}
}

func (h *receiver) refuseServer(l *link, m jsonrpc.Message, code int, text string) {
	h.answerServer(l, m.ID, h.server.relay.author(peer.Error, m.Method, protocolError(code, text)))
}

func (h *receiver) answerServer(l *link, id jsonrpc.ID, c peer.Cleared) {
	if err := l.conn.Answer(id, c); err != nil {
		h.server.relay.log.Debug("an answer did not reach its server",
			slog.String("server", h.server.cfg.Name), slog.Any("error", err))
	}
}

// notification takes a notification of the server.
func (h *receiver) notification(m jsonrpc.Message, x *exchange) {
	if !protocol.WellFormed(m.Method) || protocol.Disguised(m.Method) {
		h.Anomaly("malformed_method")
		return
	}
	s, l := h.server, h.link.Load()
	if l != nil && l.modern() {
		// Which of the relay's own subscriptions it came by does not matter.
		m.Params = protocol.SetSubscriptionID(m.Params, jsonrpc.ID{})
	}
	switch m.Method {
	case protocol.ToolsListChanged, protocol.PromptsListChanged, protocol.ResourcesListChanged:
		if l != nil {
			l.changed(m.Method)
		}
	case protocol.Progress:
		h.progress(m.Params)
	case protocol.Cancelled:
		if id, ok := requestID(m.Params); ok && l != nil {
			if q := l.questions.byID(id); q != nil {
				q.withdraw()
			}
		}
	case protocol.Initialized, protocol.Acknowledged:
		// A server has no business saying the first; the second answers the
		// relay's own subscription.
	case protocol.ResourceUpdated:
		s.updated(m)
	case protocol.ElicitationComplete:
		s.elicited(m)
	case protocol.TaskStatus, protocol.TaskChanged:
		s.taskChanged(m)
	case protocol.LogMessage:
		s.logged(m, x)
	default:
		s.passOn(m, x)
	}
}

func requestID(params []byte) (jsonrpc.ID, bool) {
	if len(params) == 0 || params[0] != '{' {
		return jsonrpc.ID{}, false
	}
	raw, ok := jsonrpc.Member(params, "requestId")
	if !ok {
		return jsonrpc.ID{}, false
	}
	return jsonrpc.ParseID(raw)
}

// progress finds the call that a progress notification belongs to. Without one
// it belongs to nobody.
func (h *receiver) progress(params []byte) {
	var raw []byte
	if len(params) > 0 && params[0] == '{' {
		raw, _ = jsonrpc.Member(params, "progressToken")
	}
	token, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		h.Anomaly("progress_without_token")
		return
	}
	x := h.server.inFlight(token)
	if x == nil || x.clientToken() == nil {
		h.Anomaly("progress_of_no_call")
		return
	}
	x.tell(protocol.Progress, params, func(c peer.Cleared) (peer.Cleared, bool) {
		// The token is the relay's own; the client knows another, or none when it
		// came back to a parked call without one.
		token := x.clientToken()
		if token == nil {
			return peer.Cleared{}, false
		}
		return x.relay.author(peer.Params, protocol.Progress, jsonrpc.SetMember(c.Body(), "progressToken", token)), true
	})
}

// clientToken returns the token under which the client of the call wants to
// hear of progress; nil: it does not.
func (x *exchange) clientToken() []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.token
}

// tell passes a notification on to the client of a call. last, when it is not
// nil, changes what was judged, or drops it.
func (x *exchange) tell(method string, params []byte, last func(peer.Cleared) (peer.Cleared, bool)) {
	n := &note{
		ctx: x.context(),
		subject: scan.Subject{
			Part: peer.Params, Hidden: x.subject.Hidden, Until: x.until(),
			// Of what is sent, nothing: a round may be changing it.
			Content: verdict.Content{
				Phase: phaseOf(method, verdict.ServerRequest), Kind: verdict.JSON, Data: params,
				Origin: x.subject.Content.Origin,
			},
		},
		deliver: func(c peer.Cleared) {
			x.deliver(func(req *session.Request) {
				if last != nil {
					var ok bool
					if c, ok = last(c); !ok {
						return
					}
				}
				_ = req.Notify(c) // a client that is gone needs no notifications
			})
		},
	}
	n.subject.Content.Origin.Method = method
	x.herald.tell(n)
}

// tell passes a notification that belongs to no call on to some clients.
func (s *server) tell(m jsonrpc.Message, to func(c peer.Cleared)) {
	s.tellIn(phaseOf(m.Method, verdict.ServerRequest), m, to)
}

// tellIn is tell for what is judged in another phase than its method says.
func (s *server) tellIn(phase verdict.Phase, m jsonrpc.Message, to func(c peer.Cleared)) {
	s.herald.tell(&note{
		ctx: context.Background(),
		subject: scan.Subject{
			Part: peer.Params, Hidden: s.cfg.Hidden, Until: s.unsettled(),
			Content: verdict.Content{
				Phase: phase, Kind: verdict.JSON, Data: m.Params,
				Origin: verdict.Origin{Server: s.cfg.Name, Method: m.Method},
			},
		},
		deliver: to,
	})
}

// passOn passes a notification on that the relay knows nothing about: to the
// client of the call, else to everybody when they are one principal's.
func (s *server) passOn(m jsonrpc.Message, x *exchange) {
	var sess *session.Session
	if x == nil {
		x, sess, _ = s.onlyCaller()
	}
	switch {
	case x != nil:
		x.tell(m.Method, m.Params, nil)
	case sess != nil:
		s.tell(m, func(c peer.Cleared) { s.relay.reached(sess.Notify(c)) })
	case s.relay.onePrincipal():
		s.tell(m, s.relay.broadcast)
	default:
		s.anomaly("notification_of_no_client")
	}
}

// Anomaly implements peer.Handler: it records a message that is not forwarded.
func (h *receiver) Anomaly(what string) { h.server.anomaly(what) }

func (s *server) anomaly(what string) {
	if s.relay.closing.Load() {
		return // who is told to leave may still be speaking
	}
	level := slog.LevelWarn
	if what == peer.AnomalyLate {
		level = slog.LevelDebug // a cancelled call and its answer cross
	}
	s.relay.repeats.write(level, "dropped a message of the server", s.cfg.Name, what)
	s.relay.record(&audit.Record{Event: audit.Anomaly, Server: s.cfg.Name, Reason: what})
}
