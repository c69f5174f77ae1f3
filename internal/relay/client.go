package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/session"
)

// Client is one connected client: what its transport hands messages to.
type Client struct {
	relay   *Relay
	session *session.Session
	spoken  atomic.Bool // its first message was dealt with
}

// Connect starts a session for a client of the given principal, whose messages
// leave through sink. The caller ends it with Close.
func (r *Relay) Connect(ctx context.Context, id, principal string, sink peer.Sink) *Client {
	c := &Client{relay: r, session: session.New(ctx, id, principal, sink)}
	r.mu.Lock()
	r.clients[c] = struct{}{}
	r.mu.Unlock()
	return c
}

// Drain waits until every request of the client was answered, or ctx ends.
func (c *Client) Drain(ctx context.Context) error { return c.session.Drain(ctx) }

// Close ends the session. Calls in flight are cancelled at their servers.
func (c *Client) Close() {
	c.relay.mu.Lock()
	delete(c.relay.clients, c)
	c.relay.mu.Unlock()
	c.session.End()
}

// Malformed answers a frame that is refused.
func (c *Client) Malformed(id jsonrpc.ID, err error) {
	code, text := protocol.CodeParseError, "the message is not valid JSON, or longer than the relay takes"
	var perr *jsonrpc.ParseError
	if errors.As(err, &perr) && perr.Reason != jsonrpc.Malformed {
		code, text = protocol.CodeInvalidRequest, perr.Error()
	}
	c.relay.log.Warn("refused a message of the client", slog.Any("error", err))
	if c.session.Waiting(id) {
		id = jsonrpc.ID{} // that answer belongs to another request
	}
	c.check(c.session.Refuse(id, c.relay.author(peer.Error, "", protocolError(code, text))))
}

// Message takes one message of the client.
func (c *Client) Message(m jsonrpc.Message) {
	if !c.spoken.Load() {
		defer c.spoken.Store(true)
	}
	if m.Method != "" && !protocol.WellFormed(m.Method) {
		c.relay.log.Warn("refused a message of the client: its method is no method's name")
		if m.Kind() == jsonrpc.Request {
			c.check(c.session.Refuse(m.ID, c.relay.author(peer.Error, "", protocolError(protocol.CodeMethodNotFound, "method not found"))))
		}
		return
	}
	switch m.Kind() {
	case jsonrpc.Request:
		c.request(m)
	case jsonrpc.Notification:
		c.notification(m)
	case jsonrpc.Response, jsonrpc.Invalid:
		// The relay asks clients nothing yet, so there is nothing to answer.
		c.relay.log.Warn("the client answered a request that nobody made")
	}
}

func (c *Client) request(m jsonrpc.Message) {
	req, err := c.session.Begin(m.ID, m.Method)
	switch {
	case errors.Is(err, session.ErrDuplicateID):
		c.check(c.session.Refuse(m.ID, c.relay.author(peer.Error, "", protocolError(protocol.CodeInvalidRequest, err.Error()))))
		return
	case err != nil:
		return // the session is over
	}
	r := c.relay
	switch m.Method {
	case protocol.Initialize:
		c.initialize(req, m.Params)
	case protocol.Ping:
		r.answer(req, r.author(peer.Result, m.Method, []byte("{}")))
	case protocol.ToolsList:
		r.list(req, registry.Tools, m.Params)
	case protocol.PromptsList:
		r.list(req, registry.Prompts, m.Params)
	case protocol.ResourcesList:
		r.list(req, registry.Resources, m.Params)
	case protocol.TemplatesList:
		r.list(req, registry.Templates, m.Params)
	case protocol.SetLevel:
		c.setLevel(req, m)
	default:
		r.forward(req, m)
	}
}

func (c *Client) notification(m jsonrpc.Message) {
	switch m.Method {
	case protocol.Initialized, protocol.RootsListChanged, protocol.Progress:
		// The relay has its own handshake with every server, tells servers of no
		// roots and asks clients nothing that could make progress.
	case protocol.Cancelled:
		if raw, ok := jsonrpc.Member(m.Params, "requestId"); ok {
			if id, ok := jsonrpc.ParseID(raw); ok {
				c.session.Cancel(id)
			}
		}
	default:
		c.relay.forwardNotification(c.session, m)
	}
}

func (c *Client) check(err error) {
	if err != nil {
		c.relay.log.Debug("an answer did not reach its client", slog.Any("error", err))
	}
}

// answer answers a request. A client that is gone is not an error.
func (r *Relay) answer(req *session.Request, c peer.Cleared) {
	if err := req.Answer(c); err != nil {
		r.log.Debug("an answer did not reach its client", slog.Any("error", err))
	}
}
