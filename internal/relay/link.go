package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
)

// link is one connection to a server.
type link struct {
	conn     Connection
	receiver *receiver
	agreed   atomic.Pointer[agreement] // nil until the era is known
	// Set by the handshake, and read by others only when it is over.
	capabilities []byte
	greeting     greeting
	declared     []byte // the client capabilities that the server was told
	// stale counts announced changes of what the server offers that were not
	// judged yet: while there are any, calls wait.
	stale atomic.Int32
	// judged holds the last list of each kind with its verdict. Only the
	// server's upkeep uses it.
	judged map[registry.Kind]*judgedList
	// verdicts is the relay's, when all lists were judged. Only the server's upkeep
	// uses it.
	verdicts int64
	// doubt is closed when the memory may say of the last lists what it did not
	// say then; nil: there is none. Only the server's upkeep uses it.
	doubt <-chan struct{}
	// relist wakes whoever asks the server again.
	relist chan struct{}
	// relisten wakes whoever keeps the subscription at a modern server.
	relisten chan struct{}

	questions questions

	mu        sync.Mutex
	level     string                   // the log level that the server was told
	announced [len(changedMethod)]bool // by kind: the server says that the list changed
}

func newLink(conn Connection, h *receiver) *link {
	l := &link{
		conn: conn, receiver: h, judged: map[registry.Kind]*judgedList{},
		relist: make(chan struct{}, 1), relisten: make(chan struct{}, 1),
	}
	h.link.Store(l)
	return l
}

// agreement is the revision of the protocol that a server is spoken to in.
type agreement struct {
	version string
	modern  bool
}

// agree settles in which revision the server is spoken to.
func (l *link) agree(version string) {
	l.agreed.Store(&agreement{version, protocol.EraOf(version) == protocol.Modern})
	l.conn.SetProtocolVersion(version)
}

// version returns the agreed revision; empty: none is yet. A server may speak
// before.
func (l *link) version() string {
	if a := l.agreed.Load(); a != nil {
		return a.version
	}
	return ""
}

// modern reports whether the server speaks the modern era.
func (l *link) modern() bool {
	a := l.agreed.Load()
	return a != nil && a.modern
}

// close ends the connection. What the server has asked is asked no more.
func (l *link) close() {
	for _, q := range l.questions.of(nil) {
		q.withdraw()
	}
	l.conn.Close(closeGrace)
}

// capable reports whether the server announced a capability.
func (l *link) capable(name string) bool {
	_, ok := jsonrpc.ObjectMember(l.capabilities, name)
	return ok
}

// changed notes that the server announced a change of what it offers.
func (l *link) changed(method string) {
	l.stale.Add(1)
	l.mu.Lock()
	for _, k := range registry.Kinds {
		l.announced[k] = l.announced[k] || changedMethod[k] == method
	}
	l.mu.Unlock()
	l.again()
}

// takeAnnounced returns the kinds whose change the server announced since the
// last time.
func (l *link) takeAnnounced() (kinds []registry.Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range registry.Kinds {
		if l.announced[k] {
			l.announced[k] = false
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// again has the server asked again.
func (l *link) again() { wake(l.relist) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Why a handshake failed.
var (
	errHandshake = errors.New("the server did not answer the handshake as the protocol says")
	errVersion   = errors.New("the server speaks no protocol revision that the relay knows")
)

// ownCall is a request of the relay's own. What the server says meanwhile is
// nobody's.
type ownCall struct {
	*receiver

	answer chan peer.Reply
}

var _ peer.Caller = ownCall{}

// Answered implements peer.Caller.
func (c ownCall) Answered(r peer.Reply) { c.answer <- r }

// start sends a request of the relay's own. The answer comes on the channel.
func (l *link) start(method string, params []byte) (peer.Call, <-chan peer.Reply) {
	answer := make(chan peer.Reply, 1)
	c := l.receiver.server.relay.author(peer.Params, method, params)
	return l.conn.Call(c, ownCall{l.receiver, answer}), answer
}

// call sends a request of the relay's own and waits for the answer.
func (l *link) call(ctx context.Context, method string, params []byte) (peer.Reply, error) {
	call, answer := l.start(method, params)
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
func (l *link) shake(ctx context.Context) error {
	l.conn.SetProtocolVersion("")
	reply, err := l.call(ctx, protocol.Initialize, l.handshakeParams())
	if err != nil {
		return fmt.Errorf("the handshake failed: %w", err)
	}
	return l.shaken(&reply)
}

// shaken takes the answer to initialize.
func (l *link) shaken(reply *peer.Reply) error {
	if reply.Error != nil || len(reply.Result) == 0 || reply.Result[0] != '{' {
		return errHandshake
	}
	version := jsonrpc.StringMember(reply.Result, "protocolVersion")
	if !protocol.KnownLegacy(version) {
		return errVersion
	}
	l.capabilities, _ = jsonrpc.ObjectMember(reply.Result, "capabilities")
	l.greeting.raw = reply.Result
	l.agree(version)
	if err := l.conn.Notify(l.receiver.server.relay.author(peer.Params, protocol.Initialized, nil)); err != nil {
		return fmt.Errorf("the handshake failed: %w", err)
	}
	return nil
}

// methodNotFound reports whether an error object says that the server does not
// know the method.
func methodNotFound(object []byte) bool {
	code, ok := protocol.ErrorCode(object)
	return ok && code == protocol.CodeMethodNotFound
}
