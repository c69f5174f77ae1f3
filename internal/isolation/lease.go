package isolation

import "sync/atomic"

// lease is a client and what it counts for.
type lease struct {
	Client // of the core

	scope     *scope
	account   *account
	stateless bool
	closed    atomic.Bool
}

// Close implements Client. A second call does nothing.
func (l *lease) Close() {
	if l.closed.Swap(true) {
		return
	}
	l.Client.Close()
	l.scope.pool.dismiss(l.scope, l.account, l.stateless)
}

// dismiss gives back what a client counted for.
func (p *Pool) dismiss(s *scope, a *account, stateless bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.count(stateless, -1)
	p.total.count(stateless, -1)
	s.left()
}
