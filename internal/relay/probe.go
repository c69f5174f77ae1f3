package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Speech says in which era a server is spoken to.
type Speech uint8

// The ways to speak to a server.
const (
	// Auto: the relay finds out, and remembers it until the server fails.
	Auto Speech = iota
	// OnlyLegacy and OnlyModern: it is known.
	OnlyLegacy
	OnlyModern
)

// errOtherEra says that a server does not speak the era in which it was to be
// spoken to.
var errOtherEra = errors.New("the server does not speak the configured era of the protocol: set its protocol to auto")

// greet finds out how the server speaks and greets it so.
func (l *link) greet(ctx context.Context, speech Speech) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, errTimeout)
	defer cancel()
	l.declared = l.receiver.server.declared(ctx)
	if speech == OnlyLegacy {
		return l.shake(ctx)
	}
	return l.probe(ctx, speech)
}

// patience is how long a server may be silent to the question for its era
// before it is greeted in the legacy way as well: legacy servers may ignore
// what they do not know.
const patience = 3 * time.Second

// probe asks the server what it speaks and, where that is not the modern era,
// greets it in the legacy way (MCP 2026-07-28, versioning, backward
// compatibility).
func (l *link) probe(ctx context.Context, speech Speech) error {
	l.conn.SetProtocolVersion(protocol.LatestModern)
	call, answer := l.start(protocol.Discover, l.modernParams(nil))
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var greeting peer.Call
	var greeted <-chan peer.Reply
	for {
		select {
		case reply := <-answer:
			done, err := l.probed(&reply, speech)
			switch {
			case done && greeting != nil:
				greeting.Abandon(errOtherEra) // the server was only slow
				return err
			case done:
				return err
			case greeted == nil:
				return l.shake(ctx)
			}
			answer = nil
		case reply := <-greeted:
			if reply.Err == nil && reply.Error == nil {
				call.Abandon(errOtherEra)
				return l.shaken(&reply)
			}
			switch {
			case answer == nil && reply.Err != nil:
				return fmt.Errorf("the handshake failed: %w", reply.Err)
			case answer == nil:
				return l.shaken(&reply)
			}
			greeted = nil
			l.conn.SetProtocolVersion(protocol.LatestModern)
		case <-timer.C:
			if speech == Auto && greeted == nil {
				l.conn.SetProtocolVersion("")
				greeting, greeted = l.start(protocol.Initialize, l.handshakeParams())
			}
		case <-ctx.Done():
			call.Abandon(context.Cause(ctx))
			return fmt.Errorf("the handshake failed: %w", context.Cause(ctx))
		case <-l.conn.Done():
			return fmt.Errorf("the handshake failed: %w", l.conn.Err())
		}
	}
}

// probed takes the answer to the question for the era. done says that it settles
// the matter: the server speaks the modern era, or cannot be spoken to.
func (l *link) probed(reply *peer.Reply, speech Speech) (done bool, err error) {
	modern, err := l.discovered(reply, speech)
	switch {
	case modern && err == nil:
		l.agree(protocol.LatestModern)
		return true, nil
	case modern:
		return true, err
	case speech == OnlyModern && err != nil:
		return true, fmt.Errorf("%w: %w", errOtherEra, err)
	case speech == OnlyModern:
		return true, errOtherEra
	case reply.Err != nil && !errors.Is(reply.Err, peer.ErrStatus) && !errors.Is(reply.Err, peer.ErrBadAnswer):
		return true, fmt.Errorf("the handshake failed: %w", reply.Err)
	default:
		return false, nil
	}
}

// discovered takes the answer to server/discover. modern reports whether the
// server speaks the modern era; then err says whether a revision is shared.
func (l *link) discovered(reply *peer.Reply, speech Speech) (modern bool, err error) {
	if reply.Err != nil {
		return false, reply.Err
	}
	if reply.Error != nil {
		data, ok := jsonrpc.ObjectMember(reply.Error, "data")
		if code, _ := protocol.ErrorCode(reply.Error); !ok || code != protocol.CodeUnsupportedVersion {
			return false, nil
		}
		if _, legacy, some := spoken(data, "supported"); legacy || !some {
			return false, nil
		}
		return true, errVersion
	}
	newest, legacy, some := spoken(reply.Result, "supportedVersions")
	switch {
	case newest && legacy && speech == Auto && l.receiver.server.relay.prefersLegacy():
		return false, nil
	case newest:
		l.capabilities, _ = jsonrpc.ObjectMember(reply.Result, "capabilities")
		l.greeting.raw = reply.Result
		return true, nil
	case legacy, !some:
		return false, nil
	default:
		return true, errVersion
	}
}

// spoken reads a list of revisions: whether it has the relay's modern one, one
// of the legacy era, and some at all.
func spoken(object []byte, member string) (newest, legacy, some bool) {
	if len(object) == 0 || object[0] != '{' {
		return false, false, false
	}
	list, ok := jsonrpc.Member(object, member)
	if !ok || len(list) == 0 || list[0] != '[' {
		return false, false, false
	}
	for raw := range jsonrpc.Elements(list) {
		v, _ := jsonrpc.Unquote(raw)
		newest = newest || v == protocol.LatestModern
		legacy = legacy || protocol.KnownLegacy(v)
		some = true
	}
	return newest, legacy, some
}
