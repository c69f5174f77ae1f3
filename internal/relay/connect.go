package relay

import (
	"context"
	"errors"
	"log/slog"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
)

// connect dials the server and greets it, in the era and over the transport
// that it speaks. What was found out is remembered until the server fails.
func (s *server) connect(ctx context.Context) (*link, error) {
	dialer := s.cfg.Dialer
	if s.old {
		dialer = s.cfg.Old
	}
	l, err := s.attempt(ctx, dialer, s.speech)
	switch {
	case err == nil:
	case s.speech == Auto && !s.old && ctx.Err() == nil && errors.Is(err, peer.ErrGone):
		// Some servers end when they are asked what they do not know.
		l, err = s.attempt(ctx, dialer, OnlyLegacy)
	case s.cfg.Old != nil && !s.old && errors.Is(err, peer.ErrOldTransport):
		if l, err = s.attempt(ctx, s.cfg.Old, OnlyLegacy); err == nil {
			s.old = true
			s.relay.log.Info("the server speaks the transport of 2024-11-05", slog.String("server", s.cfg.Name))
		}
	}
	if err != nil {
		s.speech, s.old = s.cfg.Speech, false // ask again
		return nil, err
	}
	s.speech = OnlyLegacy
	if l.modern() {
		s.speech = OnlyModern
	}
	return l, nil
}

// attempt dials and greets once. With an error the connection is closed; the
// error is peer.ErrGone when it ended by itself.
func (s *server) attempt(ctx context.Context, d Dialer, speech Speech) (*link, error) {
	h := &receiver{server: s}
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what was tried
	}
	// Before the handshake is over a server may ask for a ping already.
	l := newLink(conn, h)
	if err = l.greet(ctx, speech); err != nil {
		err = lastWords(conn, err)
		l.close()
		return nil, err
	}
	return l, nil
}

// mirrored is a connection that repeats arguments of tools in headers.
type mirrored interface {
	SetMirrors(byTool map[string][]protocol.Mirror)
}

// mirror tells the connection which arguments of which tools it repeats in
// headers.
func (s *server) mirror(l *link, listing *registry.Listing) {
	conn, ok := l.conn.(mirrored)
	if !ok || !s.cfg.Headers || !l.modern() {
		return
	}
	byTool := map[string][]protocol.Mirror{}
	for i := range listing.Items {
		schema, _ := jsonrpc.ObjectMember(listing.Items[i].Raw, "inputSchema")
		if mirrors, err := protocol.Mirrors(schema); err == nil && mirrors != nil {
			byTool[listing.Items[i].Name] = mirrors
		}
	}
	conn.SetMirrors(byTool)
}
