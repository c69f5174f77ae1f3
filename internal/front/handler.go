package front

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// The paths of the HTTP transports.
const (
	// DefaultPath is where Streamable HTTP is.
	DefaultPath = "/mcp"
	// StreamPath and MessagePath are the two ends of the HTTP+SSE transport of
	// 2024-11-05.
	StreamPath  = "/sse"
	MessagePath = "/messages"
)

// HandlerOptions say whom a Handler serves.
type HandlerOptions struct {
	Host Host         // required
	Log  *slog.Logger // required
	// MaxMessage is how many bytes a message of a client may have. Required.
	MaxMessage int
	// Shape names the protocol's members, see jsonrpc.Parse.
	Shape *jsonrpc.Shape
	// Tokens knows who may call. Nil: everyone who reaches the handler, as the
	// principal "local".
	Tokens Verifier
	// Path is where Streamable HTTP is; "" stands for DefaultPath.
	Path string
	// WithoutSSE switches the HTTP+SSE transport of 2024-11-05 off.
	WithoutSSE bool
	// Hosts are values of the Host header that are taken beside the loopback
	// names and the connection's own address, with a port or for any.
	Hosts []string
	// Origins are values of the Origin header that are taken beside the origin
	// of the request itself. No answer ever lets a page of another one read it.
	Origins []string
	// Idle is how long a session of the legacy era stays without streams and
	// requests; 0 stands for 30 minutes.
	Idle time.Duration
}

// limits bound what a client can make the relay hold or wait for.
type limits struct {
	queue     int           // bytes that wait for one stream
	chunk     int           // bytes in one write, each with its own deadline
	write     time.Duration // for one write, and for what is answered at once
	silence   time.Duration // after which a stream gets a comment
	kept      int           // bytes of events that a session keeps for resumption
	keptItems int
	keptAll   int64 // bytes of all sessions together
	waiting   int   // bytes that wait for a stream that belongs to no request
	waitItems int
	streams   int   // of one session at a time
	bodies    int64 // bytes of long messages that a principal sends at a time
	// unused is how long a session must have been unused that gives way to
	// another of its principal's.
	unused time.Duration
	// For reading a request's headers, and all of it. A Server sees to them.
	headers, request time.Duration
}

var defaultLimits = limits{
	queue: outLimit, chunk: 256 << 10, write: 30 * time.Second, silence: 15 * time.Second,
	kept: 4 << 20, keptItems: 1000, keptAll: 256 << 20,
	waiting: 1 << 20, waitItems: 256, streams: 128, bodies: 128 << 20,
	unused: 5 * time.Second, headers: 10 * time.Second, request: 30 * time.Second,
}

// defaultIdle is how long an unused session of the legacy era stays.
const defaultIdle = 30 * time.Minute

// Handler serves MCP over HTTP: both eras of Streamable HTTP on one path, and
// HTTP+SSE. It refuses what a web page could send, and whoever has no token,
// before it looks at anything else; it never sends a header that lets a page
// read an answer. Nothing of a client's headers goes further than peer.Hello.
//
// A Server gives it the deadlines for reading and for the answers that it does
// not stream itself.
type Handler struct {
	opts   HandlerOptions
	guard  guard
	limits limits
	log    *slog.Logger
	shy    shyLog
	bodies room
	// of clients of the modern era
	conversations conversations
	kept          atomic.Int64 // bytes of events that sessions keep for resumption
	logKey        [32]byte

	ctx  context.Context //nolint:containedctx // sessions outlive the request that starts them
	stop context.CancelFunc

	draining chan struct{} // closed when nothing new is taken any more
	drain    func()

	mu       sync.Mutex
	clients  map[Client]func() // all that are connected, see connect
	sessions map[string]*session
	old      map[string]*oldSession
}

var _ http.Handler = (*Handler)(nil)

// NewHandler returns a handler. Close ends it.
func NewHandler(o HandlerOptions) *Handler {
	if o.Path == "" {
		o.Path = DefaultPath
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	h := &Handler{
		opts: o, log: o.Log, limits: defaultLimits, shy: shyLog{log: o.Log},
		guard:   guard{hosts: lower(o.Hosts), origins: lower(o.Origins), tokens: o.Tokens},
		clients: map[Client]func(){}, sessions: map[string]*session{}, old: map[string]*oldSession{},
		draining: make(chan struct{}), conversations: conversations{idle: o.Idle},
	}
	h.drain = sync.OnceFunc(func() { close(h.draining) })
	_, _ = rand.Read(h.logKey[:]) // it never fails
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.guard.local(r) {
		h.shy.refused("not a local request")
		turnAway(w, http.StatusForbidden)
		return
	}
	serve := h.route(r.URL.Path)
	if serve == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	principal, ok := h.guard.principal(r)
	if !ok {
		h.shy.refused("no valid token")
		w.Header().Set("WWW-Authenticate", "Bearer")
		turnAway(w, http.StatusUnauthorized)
		return
	}
	serve(w, r, principal)
}

// route returns what serves a path, or nil.
func (h *Handler) route(path string) func(http.ResponseWriter, *http.Request, string) {
	switch {
	case path == h.opts.Path:
		return h.streamable
	case h.opts.WithoutSSE:
		return nil
	case path == StreamPath:
		return h.oldStream
	case path == MessagePath:
		return h.oldMessage
	default:
		return nil
	}
}

// streamable serves the path of Streamable HTTP.
func (h *Handler) streamable(w http.ResponseWriter, r *http.Request, principal string) {
	switch r.Method {
	case http.MethodPost:
		h.post(w, r, principal)
	case http.MethodGet:
		h.get(w, r, principal)
	case http.MethodDelete:
		h.delete(w, r, principal)
	default:
		notAllowed(w, "GET, POST, DELETE")
	}
}

// name returns what the relay calls a session, in the audit record too: whoever
// reads it cannot use it as the session's id.
func (h *Handler) name(session string) string {
	mac := hmac.New(sha256.New, h.logKey[:])
	_, _ = mac.Write([]byte(session))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// tag returns what logs call a session: the beginning of its name.
func (h *Handler) tag(session string) string { return h.name(session)[:8] }

// turnAway refuses a request of somebody who is not let in, and ends the
// connection: it neither waits for the rest of the request nor takes the place of
// somebody who is.
func turnAway(w http.ResponseWriter, status int) {
	w.Header().Set("Connection", "close")
	// Without it, net/http would wait for what was announced.
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // not every ResponseWriter has one
	refuse(w, status)
}

// refuse answers with a status and nothing of the request.
func refuse(w http.ResponseWriter, status int) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(http.StatusText(status) + "\n"))
}

func notAllowed(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods)
	refuse(w, http.StatusMethodNotAllowed)
}
