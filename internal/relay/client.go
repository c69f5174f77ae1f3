package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// Client is one connected client: what its transport hands messages to.
type Client struct {
	relay   *Relay
	session *session.Session
	spoken  atomic.Bool // its first message was dealt with
	modern  atomic.Bool // it has sent a request of the modern era
}

// Connect starts a session for a client whose messages leave through sink. The
// caller ends it with Close.
func (r *Relay) Connect(ctx context.Context, h peer.Hello, sink peer.Sink) *Client {
	c := &Client{relay: r, session: session.New(ctx, h, sink)}
	c.modern.Store(h.Stateless)
	r.mu.Lock()
	r.clients[c] = struct{}{}
	r.mu.Unlock()
	return c
}

// Drain waits until every request of the client was answered, or ctx ends.
// Subscriptions, which have no end of their own, are ended.
func (c *Client) Drain(ctx context.Context) error {
	for _, l := range c.relay.hub.listening(func(l *listen) bool { return l.req.Session() == c.session }) {
		l.end()
	}
	return c.session.Drain(ctx) //nolint:wrapcheck // the context's cause
}

// Close ends the session. Calls in flight are cancelled at their servers.
func (c *Client) Close() {
	c.relay.mu.Lock()
	delete(c.relay.clients, c)
	c.relay.mu.Unlock()
	c.session.End()
	if !c.session.Stateless() {
		c.relay.leave(c.session)
	}
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
	c.refuse(id, code, text)
}

// refuse answers a message that is no request of the session.
func (c *Client) refuse(id jsonrpc.ID, code int, text string) {
	c.relay.reached(c.session.Refuse(id, c.relay.author(peer.Error, "", protocolError(code, text))))
}

// Message takes one message of the client.
func (c *Client) Message(m jsonrpc.Message) {
	if !c.spoken.Load() {
		defer c.spoken.Store(true)
	}
	if m.Method != "" && (!protocol.WellFormed(m.Method) || protocol.Disguised(m.Method)) {
		c.relay.log.Warn("refused a message of the client: its method is no method's name")
		if m.Kind() == jsonrpc.Request {
			c.refuse(m.ID, protocol.CodeMethodNotFound, "method not found")
		}
		return
	}
	switch m.Kind() {
	case jsonrpc.Request:
		c.request(m)
	case jsonrpc.Notification:
		c.notification(m)
	case jsonrpc.Response:
		if !c.session.Reply(&m) {
			c.relay.log.Warn("the client answered a request that nobody made, or that was withdrawn")
		}
	case jsonrpc.Invalid:
		c.relay.log.Warn("refused a message of the client: it is neither a request nor an answer")
	}
}

func (c *Client) request(m jsonrpc.Message) {
	sender, modern, err := c.sender(m)
	if err != nil {
		if merr, ok := errors.AsType[*protocol.MetaError](err); ok {
			c.refuse(m.ID, merr.Code(), merr.Error())
		}
		return
	}
	req, err := c.session.Begin(m.ID, m.Method, sender)
	switch {
	case errors.Is(err, session.ErrDuplicateID):
		c.refuse(m.ID, protocol.CodeInvalidRequest, err.Error())
	case err != nil: // the session is over
	case modern && !protocol.KnownModern(sender.Version):
		c.relay.answer(req, c.relay.author(peer.Error, m.Method, unsupportedVersion(sender.Version)))
	case modern:
		c.modernRequest(req, m)
	default:
		c.legacyRequest(req, m)
	}
}

// sender reads what a modern request says of its sender; nil for a request of
// the legacy era.
func (c *Client) sender(m jsonrpc.Message) (*session.Sender, bool, error) {
	meta, modern, err := protocol.MetaOf(m.Params)
	if !modern || err != nil {
		return nil, modern, err //nolint:wrapcheck // it is answered as it is
	}
	if !c.modern.Load() {
		c.modern.Store(true)
	}
	c.relay.introduced(true, meta.Capabilities)
	return &session.Sender{
		Name: jsonrpc.StringMember(meta.Info, "name"), Version: meta.Version,
		Info: meta.Info, Capabilities: meta.Capabilities, LogLevel: meta.LogLevel,
	}, true, nil
}

// legacyRequest takes a request of the era of handshakes.
func (c *Client) legacyRequest(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	switch m.Method {
	case protocol.Initialize:
		c.initialize(req, m.Params)
	case protocol.Ping:
		r.answer(req, r.author(peer.Result, m.Method, []byte("{}")))
	case protocol.SetLevel:
		c.setLevel(req, m)
	case protocol.Discover, protocol.Listen:
		// They belong to the modern era, whose requests say so.
		r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeInvalidParams, "params._meta needs a protocol version")))
	case protocol.TasksList:
		r.listTasks(req, m)
	default:
		c.eitherRequest(req, m)
	}
}

// modernRequest takes a request that says everything about its sender.
func (c *Client) modernRequest(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	switch m.Method {
	case protocol.Discover:
		c.discover(req)
	case protocol.Listen:
		c.listen(req, m.Params)
	case protocol.Initialize, protocol.Ping, protocol.SetLevel, protocol.Subscribe, protocol.Unsubscribe,
		protocol.TasksList, protocol.TasksResult:
		// They belong to the legacy era.
		r.answer(req, r.author(peer.Error, m.Method, protocolError(protocol.CodeMethodNotFound, "method not found")))
	default:
		state, ok := protocol.RequestState(m.Params)
		if _, there := jsonrpc.Member(m.Params, "requestState"); there && !ok {
			r.unknownState(req) // no state that the relay makes is like that
			return
		}
		if ok {
			r.again(req, m, state)
			return
		}
		c.eitherRequest(req, m)
	}
}

// eitherRequest takes a request that both eras have.
func (c *Client) eitherRequest(req *session.Request, m jsonrpc.Message) {
	r := c.relay
	if k, ok := listed[m.Method]; ok {
		r.list(req, k, m.Params)
		return
	}
	r.forward(req, m, "")
}

func (c *Client) notification(m jsonrpc.Message) {
	switch m.Method {
	case protocol.Initialized:
		// The relay has its own handshake with every server.
	case protocol.RootsListChanged:
		c.rootsChanged()
	case protocol.Progress:
		c.progressed(m)
	case protocol.Cancelled:
		if id, ok := requestID(m.Params); ok {
			c.session.Cancel(id)
		}
	default:
		c.relay.forwardNotification(c.session, m)
	}
}

// answer answers a request. A client that is gone is not an error.
func (r *Relay) answer(req *session.Request, c peer.Cleared) { r.reached(req.Answer(c)) }
