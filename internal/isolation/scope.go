package isolation

import (
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

// key says who shares a scope: everybody when it is empty.
type key struct{ principal, session string }

// key returns to which scope a client belongs.
func (p *Pool) key(who *peer.Hello) key {
	switch {
	case p.opts.Mode == Shared:
		return key{}
	case p.opts.Mode == PerSession && !who.Stateless:
		return key{who.Principal, who.Session}
	default:
		return key{principal: who.Principal}
	}
}

// scope is a core and who uses it. Whoever claims it first makes the core; the
// pool's lock guards the rest.
type scope struct {
	pool    *Pool
	key     key
	account *account // who pays for the core; nil: nobody
	kept    bool     // until the pool is closed

	claimed atomic.Bool
	ready   chan struct{} // closed when core is set
	core    Core          // nil when the pool was closed first

	users    int
	children int       // for which the account pays
	unused   time.Time // since when it has no user
	timer    *time.Timer
	ticking  bool
	retired  bool
}

// open makes a scope without its core. It returns nil when the account has no
// room for it. p.mu is held.
func (p *Pool) open(k key, a *account) *scope {
	if a != nil && !a.nurture(p.opts.Children) {
		return nil
	}
	s := &scope{pool: p, key: k, account: a, children: p.opts.Children, ready: make(chan struct{})}
	p.scopes[k] = s
	return s
}

// use returns the core, which it makes and starts when it is the first to ask.
// Others wait for that, and nobody holds the pool's lock meanwhile.
func (s *scope) use() Core {
	if !s.claimed.Swap(true) {
		name := s.key.principal
		if s.key == (key{}) {
			name = "shared"
		}
		core := s.pool.opts.New(name)
		core.Start(s.pool.ctx)
		s.core = core
		close(s.ready)
	}
	<-s.ready
	return s.core
}

// left notes that a user is gone. The pool's lock is held. A timer that runs is
// left running and looks again: one that is set anew for each request costs more
// than the request.
func (s *scope) left() {
	s.users--
	switch {
	case s.users > 0 || s.kept || s.retired:
	case s.key.session != "":
		s.retire()
	default:
		s.unused = time.Now()
		if !s.ticking {
			s.tick(s.pool.opts.Idle)
		}
	}
}

func (s *scope) tick(d time.Duration) {
	s.ticking = true
	if s.timer == nil {
		s.timer = time.AfterFunc(d, s.look)
		return
	}
	s.timer.Reset(d)
}

// look retires a scope that nobody has used for long enough.
func (s *scope) look() {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.ticking = false
	if s.users > 0 || s.retired {
		return
	}
	if rest := s.pool.opts.Idle - time.Since(s.unused); rest > 0 {
		s.tick(rest)
		return
	}
	s.retire()
}

// retire closes the core in the background. Clients that come from now on get
// another one. The pool's lock is held.
func (s *scope) retire() {
	if s.retired {
		return
	}
	s.retired = true
	delete(s.pool.scopes, s.key)
	if s.timer != nil {
		s.timer.Stop()
	}
	s.pool.closing.Go(func() {
		if !s.claimed.Swap(true) {
			close(s.ready) // whoever wanted the core comes too late
		}
		<-s.ready
		if s.core != nil {
			s.core.Close()
		}
		if s.account != nil {
			s.pool.mu.Lock()
			s.account.children -= s.children
			s.pool.mu.Unlock()
		}
	})
}
