package isolation

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

// Mode says who shares servers.
type Mode uint8

// The modes.
const (
	// PerPrincipal: each principal has servers of its own. With one principal
	// all clients share them, so that this is right when nothing is configured.
	PerPrincipal Mode = iota
	// Shared: everybody uses the same servers.
	Shared
	// PerSession: each session has servers of its own. Requests without a
	// session use those of their principal.
	PerSession
)

// DefaultIdle is how long a core is kept that nobody uses.
const DefaultIdle = 10 * time.Minute

// Options configure a pool. New and Refuse are required.
type Options struct {
	Mode Mode
	// Principals are those that are known from the start. When there is one and
	// the mode is PerPrincipal, its core is made by Start and kept.
	Principals []string
	// Limits are for one principal.
	Limits Limits
	// MaxSessions and MaxStreams are for all principals together; zero: no limit.
	MaxSessions, MaxStreams int
	// Children is how many connections to servers a core has.
	Children int
	// Idle is how long a core is kept that nobody uses; zero: DefaultIdle. That
	// of a session ends with the session.
	Idle time.Duration
	// New makes a core. The scope is a name for logs: "shared", or the
	// principal. Neither New nor the core's Start may wait for servers.
	New func(scope string) Core
	// Refuse makes an error object of JSON-RPC in the relay's own words.
	Refuse func(code int, text string) peer.Cleared
}

// ErrClosed says that the pool takes no clients: it was closed, or it was not
// started.
var ErrClosed = errors.New("the relay takes no clients now")

// Pool gives every client its relay core. Create it with New, start it with
// Start and end it with Close. All methods are safe for concurrent use.
type Pool struct {
	opts Options

	mu       sync.Mutex
	ctx      context.Context //nolint:containedctx // cores live as long as the pool, not as the client that needed one first
	closed   bool
	accounts map[string]*account // by principal: there are as many as tokens
	total    account
	scopes   map[key]*scope
	closing  sync.WaitGroup // cores that end
}

// New returns a pool without cores.
func New(opts Options) *Pool {
	if opts.Idle == 0 {
		opts.Idle = DefaultIdle
	}
	return &Pool{
		opts: opts, accounts: map[string]*account{}, scopes: map[key]*scope{},
		total: account{limits: Limits{Sessions: opts.MaxSessions, Streams: opts.MaxStreams}},
	}
}

// Start lets clients in. It makes and starts the core that all clients share,
// if it is known that they do. Cores live until ctx ends or Close is called.
func (p *Pool) Start(ctx context.Context) {
	if s := p.begin(ctx); s != nil {
		s.use()
	}
}

// begin returns the scope that all clients share, or nil.
func (p *Pool) begin(ctx context.Context) *scope {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.ctx != nil {
		return nil
	}
	p.ctx = ctx
	var k key
	switch {
	case p.opts.Mode == Shared:
	case p.opts.Mode == PerPrincipal && len(p.opts.Principals) == 1:
		k.principal = p.opts.Principals[0]
	default:
		return nil
	}
	s := p.open(k, nil)
	s.kept = true
	return s
}

// Connect gives a client the core that it belongs to. It does not wait for
// servers. The client has to be closed, which gives back what it counts for.
// The error is peer.ErrTooMany when its principal has as much as it may have,
// or ErrClosed.
func (p *Pool) Connect(ctx context.Context, who peer.Hello, sink peer.Sink) (Client, error) {
	s, a, err := p.admit(&who)
	if err != nil {
		return nil, err
	}
	core := s.use()
	if core == nil {
		p.dismiss(s, a, who.Stateless)
		return nil, ErrClosed
	}
	return &lease{Client: core.Connect(ctx, who, sink), scope: s, account: a, stateless: who.Stateless}, nil
}

// admit counts a client and its use of a scope, or refuses it.
func (p *Pool) admit(who *peer.Hello) (*scope, *account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.ctx == nil {
		return nil, nil, ErrClosed
	}
	a := p.accounts[who.Principal]
	if a == nil {
		a = &account{limits: p.opts.Limits}
		p.accounts[who.Principal] = a
	}
	if !a.room(who.Stateless) || !p.total.room(who.Stateless) {
		return nil, nil, peer.ErrTooMany
	}
	k := p.key(who)
	s := p.scopes[k]
	if s == nil {
		if s = p.open(k, a); s == nil {
			return nil, nil, peer.ErrTooMany
		}
	}
	a.count(who.Stateless, 1)
	p.total.count(who.Stateless, 1)
	s.users++
	return s, a, nil
}

// Refusal returns an error object for what the front itself refuses.
func (p *Pool) Refusal(code int, text string) peer.Cleared { return p.opts.Refuse(code, text) }

// Close ends all cores and waits until their servers are gone. Clients that are
// still connected are answered no more.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, s := range p.scopes {
		s.retire()
	}
	p.mu.Unlock()
	p.closing.Wait()
}
