package relay

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
)

// link is one connection to a server.
type link struct {
	conn Connection
	// Set by the handshake, and read by others only when it is over.
	capabilities []byte
	version      string
	// stale counts announced changes of what the server offers that were not
	// judged yet: while there are any, calls wait.
	stale atomic.Int32
	// judged holds the last list of each kind with its verdict. Only the
	// server's upkeep uses it.
	judged map[registry.Kind]*judgedList
	// relist wakes whoever asks the server again.
	relist chan struct{}
}

// capable reports whether the server announced a capability.
func (l *link) capable(name string) bool {
	_, ok := objectMember(l.capabilities, name)
	return ok
}

// changed notes that the server announced a change.
func (l *link) changed() {
	l.stale.Add(1)
	l.again()
}

// again has the server asked again.
func (l *link) again() {
	select {
	case l.relist <- struct{}{}:
	default:
	}
}

// Why a handshake failed.
var (
	errHandshake = errors.New("the server did not answer the handshake as the protocol says")
	errVersion   = errors.New("the server speaks no protocol revision that the relay knows")
)

// call sends a request of the relay's own and waits for the answer.
func (r *Relay) call(ctx context.Context, conn Connection, method string, params []byte) (peer.Reply, error) {
	answer := make(chan peer.Reply, 1)
	call := conn.Call(r.author(peer.Params, method, params), func(reply peer.Reply) { answer <- reply })
	select {
	case reply := <-answer:
		return reply, reply.Err
	case <-ctx.Done():
		call.Abandon(context.Cause(ctx))
		return peer.Reply{}, context.Cause(ctx)
	}
}

// handshakeTimeout is generous: a server started by npx or uvx may first have
// to be downloaded.
const handshakeTimeout = 2 * time.Minute

// shake performs the handshake of the legacy era (MCP 2025-11-25, lifecycle).
func (r *Relay) shake(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, errTimeout)
	defer cancel()
	reply, err := r.call(ctx, l.conn, protocol.Initialize, r.handshakeParams())
	if err != nil {
		return fmt.Errorf("the handshake failed: %w", err)
	}
	if reply.Error != nil || len(reply.Result) == 0 || reply.Result[0] != '{' {
		return errHandshake
	}
	l.version = stringMember(reply.Result, "protocolVersion")
	if !protocol.KnownLegacy(l.version) {
		return errVersion
	}
	l.capabilities, _ = objectMember(reply.Result, "capabilities")
	l.conn.SetProtocolVersion(l.version)
	if err := l.conn.Notify(r.author(peer.Params, protocol.Initialized, nil)); err != nil {
		return fmt.Errorf("the handshake failed: %w", err)
	}
	return nil
}

// methodNotFound reports whether an error object says that the server does not
// know the method.
func methodNotFound(object []byte) bool {
	code, ok := jsonrpc.Member(object, "code")
	return ok && string(code) == "-32601"
}
