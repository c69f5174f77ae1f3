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
	"github.com/mcp-relay/relay/internal/verdict"
)

// receiver takes what a server says by itself.
type receiver struct {
	server *server
	link   atomic.Pointer[link] // nil for a moment, until Dial has returned
}

var _ peer.Handler = (*receiver)(nil)

// Request answers a request of the server. The relay offers servers no client
// capabilities, so there is nothing but ping that they may ask.
func (h *receiver) Request(m jsonrpc.Message) {
	l := h.link.Load()
	if l == nil {
		return // it was not greeted yet: nothing is owed
	}
	r := h.server.relay
	answer := r.author(peer.Error, m.Method, protocolError(protocol.CodeMethodNotFound, "method not found"))
	if m.Method == protocol.Ping {
		answer = r.author(peer.Result, m.Method, []byte("{}"))
	}
	if err := l.conn.Answer(m.ID, answer); err != nil {
		r.log.Debug("an answer did not reach its server", slog.String("server", h.server.cfg.Name), slog.Any("error", err))
	}
}

// Notification takes a notification of the server.
func (h *receiver) Notification(m jsonrpc.Message) {
	if !protocol.WellFormed(m.Method) {
		h.Anomaly("malformed_method")
		return
	}
	switch m.Method {
	case protocol.ToolsListChanged, protocol.PromptsListChanged, protocol.ResourcesListChanged:
		if l := h.link.Load(); l != nil {
			l.changed()
		}
	case protocol.Progress:
		h.progress(m.Params)
	case protocol.Cancelled, protocol.Initialized:
		// The relay waits for no answer that a server could withdraw by itself.
	default:
		h.passOn(m)
	}
}

// progress finds the call that a progress notification belongs to. Without one
// it belongs to nobody.
func (h *receiver) progress(params []byte) {
	if len(params) == 0 || params[0] != '{' {
		h.Anomaly("progress_without_token")
		return
	}
	raw, ok := jsonrpc.Member(params, "progressToken")
	token, err := strconv.ParseInt(string(raw), 10, 64)
	if !ok || err != nil {
		h.Anomaly("progress_without_token")
		return
	}
	x := h.server.followed(token)
	if x == nil {
		h.Anomaly("progress_of_no_call")
		return
	}
	x.progress(params)
}

// passOn judges a notification and sends it to every client.
func (h *receiver) passOn(m jsonrpc.Message) {
	s := h.server
	subject := &scan.Subject{
		Part: peer.Params, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: phaseOf(m.Method, verdict.ServerRequest), Kind: verdict.JSON, Data: m.Params,
			Origin: verdict.Origin{Server: s.cfg.Name, Method: m.Method},
		},
	}
	place := s.lane.reserve()
	s.relay.gate.Judge(context.Background(), subject, func(d scan.Decision) {
		s.lane.fill(place, func() {
			if d.Outcome == scan.Passed {
				s.relay.broadcast(d.Cleared)
			}
		})
	})
}

// Anomaly records a message that is not forwarded.
func (h *receiver) Anomaly(what string) {
	s := h.server
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
