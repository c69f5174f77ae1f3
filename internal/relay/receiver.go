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
			l.changed()
		}
	case protocol.Progress:
		h.progress(m.Params)
	case protocol.Cancelled:
		if id, ok := requestID(m.Params); ok && l != nil {
			l.withdrawn(id)
		}
	case protocol.Initialized, protocol.Acknowledged:
		// A server has no business saying the first; the second answers the
		// relay's own subscription.
	case protocol.ResourceUpdated:
		s.updated(m)
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
	x.tell(protocol.Progress, params, func(req *session.Request, c peer.Cleared) peer.Cleared {
		// The token is the relay's own; the client knows another.
		body := jsonrpc.SetMember(c.Body(), "progressToken", x.clientToken())
		return x.relay.author(peer.Params, protocol.Progress, body)
	})
}

// clientToken returns the token under which the client of the call wants to
// hear of progress; nil: it does not.
func (x *exchange) clientToken() []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.token
}

// tell passes a notification on to the client of a call.
func (x *exchange) tell(method string, params []byte, last func(*session.Request, peer.Cleared) peer.Cleared) {
	n := &note{
		ctx:     x.context(),
		subject: scan.Subject{Part: peer.Params, Hidden: x.subject.Hidden, Content: x.subject.Content},
		deliver: func(c peer.Cleared) {
			x.deliver(func(req *session.Request) {
				if last != nil {
					c = last(req, c)
				}
				_ = req.Notify(c) // a client that is gone needs no notifications
			})
		},
	}
	n.subject.Content.Phase = phaseOf(method, verdict.ServerRequest)
	n.subject.Content.Request = nil
	n.subject.Content.Origin.Method = method
	n.subject.Content.Data = params
	x.herald.tell(n)
}

// tell passes a notification that belongs to no call on to some clients.
func (s *server) tell(m jsonrpc.Message, to func(c peer.Cleared)) {
	s.herald.tell(&note{
		ctx: context.Background(),
		subject: scan.Subject{
			Part: peer.Params, Hidden: s.cfg.Hidden,
			Content: verdict.Content{
				Phase: phaseOf(m.Method, verdict.ServerRequest), Kind: verdict.JSON, Data: m.Params,
				Origin: verdict.Origin{Server: s.cfg.Name, Method: m.Method},
			},
		},
		deliver: to,
	})
}

// passOn passes a notification on that the relay knows nothing about: to the
// client of the call, else to everybody when they are one principal's.
func (s *server) passOn(m jsonrpc.Message, x *exchange) {
	if x == nil {
		x, _ = s.onlyCaller()
	}
	switch {
	case x != nil:
		x.tell(m.Method, m.Params, nil)
	case s.relay.onePrincipal():
		s.tell(m, s.relay.broadcast)
	default:
		s.anomaly("notification_of_no_client")
	}
}

// logged passes a log message on to those who want its level.
func (s *server) logged(m jsonrpc.Message, x *exchange) {
	if x == nil {
		x, _ = s.onlyCaller()
	}
	level := stringMember(m.Params, "level")
	switch {
	case x != nil:
		if x.wantsLog(level) {
			x.tell(m.Method, m.Params, nil)
		}
	case s.relay.onePrincipal():
		s.tell(m, func(c peer.Cleared) { s.relay.broadcastLog(c, level) })
	default:
		s.anomaly("notification_of_no_client")
	}
}

// wantsLog reports whether the client of the call wants log messages of a level.
func (x *exchange) wantsLog(level string) bool {
	req := x.client()
	if req == nil {
		return false
	}
	wanted := req.Sender().LogLevel
	if wanted == "" {
		return !req.Modern()
	}
	return reaches(level, wanted)
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
	s.relay.log.Log(context.Background(), level, "dropped a message of the server",
		slog.String("server", s.cfg.Name), slog.String("reason", what))
	s.relay.record(&audit.Record{Event: audit.Anomaly, Server: s.cfg.Name, Reason: what})
}
