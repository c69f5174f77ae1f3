package front

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// modern serves one message of the modern era: it is a client of its own, which
// ends with its answer or with its connection (MCP 2026-07-28, Streamable HTTP).
func (h *Handler) modern(w http.ResponseWriter, r *http.Request, principal string, m jsonrpc.Message, takes accepted) {
	if h.stopping(w) {
		return
	}
	if m.Kind() != jsonrpc.Request && m.Kind() != jsonrpc.Notification {
		h.refusal(w, jsonrpc.ID{}, protocol.CodeInvalidRequest, "a client of this revision sends no responses")
		return
	}
	err := protocol.CheckHeaders(r.Header.Values, m)
	var mirrored map[string]string
	if err == nil {
		mirrored, err = protocol.Mirrored(r.Header)
	}
	if err != nil {
		code := protocol.CodeInvalidRequest
		var coded interface{ Code() int }
		if errors.As(err, &coded) {
			code = coded.Code()
		}
		h.refusal(w, m.ID, code, err.Error())
		return
	}
	if m.Method == protocol.Listen && !takes.events {
		refuse(w, http.StatusNotAcceptable)
		return
	}
	x := &exchange{q: newQueue(h.limits.queue), of: m.ID, only: !takes.events}
	hello := peer.Hello{
		Session: rand.Text(), Principal: principal, Stateless: true, Mirrored: mirrored,
		Conversation: h.conversations.of(principal, m.Params),
	}
	end := func() {}
	if m.Method == protocol.Listen {
		end = func() { x.q.end(errOver) }
	}
	client, ok := h.connect(r.Context(), w, hello, x, end)
	if !ok {
		return
	}
	defer h.disconnect(client)
	if m.Kind() == jsonrpc.Notification {
		x.q.end(errOver) // there is nothing to answer
		client.Message(m)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	client.Message(m)
	p := &reply{h: h, w: w, r: r, q: x.q, takes: takes, status: modernStatus}
	err = p.run()
	x.q.end(errOver)
	switch {
	case err == nil, errors.Is(err, errLeft):
	case errors.Is(err, errSlow):
		h.log.Warn("ended a stream: its client does not read", slog.String("session", h.tag(hello.Session)))
	case p.e == nil:
		p.without(http.StatusServiceUnavailable)
	}
}

// exchange is the sink of one modern request.
type exchange struct {
	q    *queue
	of   jsonrpc.ID
	only bool // the client takes nothing but the answer
}

var _ peer.Sink = (*exchange)(nil)

// Respond implements peer.Sink.
func (x *exchange) Respond(id jsonrpc.ID, c peer.Cleared) error {
	frame, code, err := response(id, c)
	if err != nil {
		return err
	}
	return x.q.answer(item{frame: frame}, code)
}

// Notify implements peer.Sink. There is no stream but that of the request, and
// what belongs to none travels on those that were opened for it, which are
// requests too.
func (x *exchange) Notify(of jsonrpc.ID, c peer.Cleared) error {
	if of != x.of || x.only {
		return peer.ErrNoStream
	}
	frame, err := request(jsonrpc.ID{}, c)
	if err != nil {
		return err
	}
	return x.q.push(item{frame: frame})
}

// Request implements peer.Sink. A modern client is never asked (MCP 2026-07-28,
// Streamable HTTP, receiving messages).
func (*exchange) Request(_, _ jsonrpc.ID, c peer.Cleared) error {
	if !c.Valid() {
		return peer.ErrNotCleared
	}
	return peer.ErrNoStream
}
