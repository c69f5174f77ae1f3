package relay

import (
	"context"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// programName is what the relay calls itself towards both sides.
const programName = "mcp-relay"

// implementation returns the relay's name and version as MCP has it.
func (r *Relay) implementation() []byte {
	out := append([]byte(`{"name":"`+programName+`","version":`), jsonrpc.AppendString(nil, r.opts.Version)...)
	return append(out, '}')
}

// resultMeta returns what results of the relay's own say of it to clients of
// the modern era.
func (r *Relay) resultMeta() []byte {
	out := append([]byte(`{"`+protocol.MetaServerInfo+`":`), r.implementation()...)
	return append(out, '}')
}

// handshakeParams returns the params of the relay's own handshake with a
// server of the legacy era.
func (l *link) handshakeParams() []byte {
	out := append([]byte(`{"protocolVersion":"`+protocol.LatestLegacy+`","capabilities":`), l.declared...)
	out = append(append(out, `,"clientInfo":`...), l.receiver.server.relay.implementation()...)
	return append(out, '}')
}

// introduction is how long a server's handshake waits for the client's, when
// there is only one client: so the server learns what that client can do. A
// client that started the relay speaks at once.
const introduction = time.Second

// declared returns the client capabilities that a server is told: those of the
// only client, or, where clients come and go, everything that the relay can
// pass on. What a client cannot do is refused when it is asked.
func (s *server) declared(ctx context.Context) []byte {
	set := protocol.AllCapabilities
	if s.relay.opts.Solo {
		wait, cancel := context.WithTimeout(ctx, introduction)
		defer cancel()
		select {
		case <-s.relay.introduction:
		case <-wait.Done():
		}
		set = 0
		if sole := s.relay.sole.Load(); sole != nil {
			set = protocol.CapabilitiesOf(sole.capabilities)
		}
	}
	return declaration(set & s.cfg.MayAsk)
}

// soleClient is what the only client said of itself first.
type soleClient struct {
	modern       bool
	capabilities []byte
}

// introduced notes what a client is, for servers that are greeted later.
func (r *Relay) introduced(modern bool, capabilities []byte) {
	if r.opts.Solo && r.sole.CompareAndSwap(nil, &soleClient{modern, capabilities}) {
		close(r.introduction)
	}
}

// prefersLegacy reports whether a server that speaks both eras is better spoken
// to in the legacy one: it is what the only client speaks, and nothing has to be
// translated.
func (r *Relay) prefersLegacy() bool {
	sole := r.sole.Load()
	return sole != nil && !sole.modern
}

// declaration returns a set of capabilities as MCP writes them.
func declaration(set protocol.CapabilitySet) []byte {
	object := func(members ...string) string {
		var parts []string
		for _, m := range members {
			if m != "" {
				parts = append(parts, m)
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	when := func(c protocol.Capability, text string) string {
		if set.Has(c) {
			return text
		}
		return ""
	}
	var sampling, elicitation string
	if set.Has(protocol.Sampling) {
		sampling = `"sampling":` + object(when(protocol.SamplingContext, `"context":{}`), when(protocol.SamplingTools, `"tools":{}`))
	}
	if set.Has(protocol.ElicitForm) || set.Has(protocol.ElicitURL) {
		elicitation = `"elicitation":` + object(when(protocol.ElicitForm, `"form":{}`), when(protocol.ElicitURL, `"url":{}`))
	}
	return []byte(object(elicitation, when(protocol.Roots, `"roots":{"listChanged":true}`), sampling))
}
