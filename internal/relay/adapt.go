package relay

import (
	"bytes"
	"context"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
)

// defaultLogLevel is from which level on a client of the legacy era gets log
// messages that did not ask for a level: in that era the server decides, in the
// modern one a request has to ask.
const defaultLogLevel = "info"

func eraOf(modern bool) protocol.Era {
	if modern {
		return protocol.Modern
	}
	return protocol.Legacy
}

// adapt turns the params of a client's request into those of the server's era.
// Where both speak the same, they stay as they are but for capabilities that
// the configuration does not let the server use.
func (x *exchange) adapt(req *session.Request, params []byte) []byte {
	modern, sender := req.Modern(), req.Sender()
	if modern {
		x.capabilities = protocol.CapabilitiesOf(sender.Capabilities)
	}
	switch {
	case modern && x.way.link.modern():
		capabilities := protocol.Restrict(sender.Capabilities, x.server.cfg.MayAsk)
		if bytes.Equal(capabilities, sender.Capabilities) {
			return params
		}
		return protocol.SetMeta(params, protocol.Meta{
			Version: sender.Version, Info: sender.Info, Capabilities: capabilities, LogLevel: sender.LogLevel,
		})
	case modern:
		x.parked = &parked{}
		x.parked.arguments, _ = jsonrpc.Member(params, "arguments")
		x.parked.ctx, x.parked.cancel = context.WithCancel(x.relay.ctx)
		// Until it was sent, the request is all that there is of the call.
		req.OnCancel(x.parked.cancel)
		x.server.wantLevel(x.way.link, sender.LogLevel)
		return protocol.WithoutInput(protocol.StripMeta(params))
	case x.way.link.modern():
		// Answers and states are between the relay and that server.
		return protocol.SetMeta(protocol.WithoutInput(params), x.server.metaFor(sender))
	default:
		return params
	}
}

// adaptAnswer turns a server's answer into one of the client's era.
func (x *exchange) adaptAnswer(reply *peer.Reply, s *scan.Subject, modern bool) {
	switch {
	case modern == x.way.link.modern():
	case reply.Error != nil:
		s.Content.Data = protocol.ErrorFor(eraOf(modern), x.method, reply.Error)
	case modern:
		s.Content.Data = protocol.ModernResult(x.method, reply.Result)
	default:
		s.Content.Data = protocol.LegacyResult(x.method, reply.Result)
	}
}

// metaFor returns what a request for a modern server says of a client of the
// legacy era.
func (s *server) metaFor(sender session.Sender) protocol.Meta {
	m := protocol.Meta{
		Version: protocol.LatestModern, Info: sender.Info,
		Capabilities: protocol.Restrict(sender.Capabilities, s.cfg.MayAsk), LogLevel: sender.LogLevel,
	}
	if m.Info == nil {
		m.Info = s.relay.implementation()
	}
	if m.LogLevel == "" {
		m.LogLevel = defaultLogLevel
	}
	return m
}

// ownParams returns the params of a request of the relay's own.
func (l *link) ownParams(params []byte) []byte {
	if !l.modern() {
		return params
	}
	return l.modernParams(params)
}

// modernParams returns the params of a request of the relay's own in the modern
// era.
func (l *link) modernParams(params []byte) []byte {
	return protocol.SetMeta(params, protocol.Meta{
		Version: protocol.LatestModern, Info: l.receiver.server.relay.implementation(), Capabilities: l.declared,
	})
}
