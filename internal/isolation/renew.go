package isolation

// Renew has f bring every core up to date that New made before now has changed
// what it does; it is called for each, one after the other, also for those that
// are just being made, and not for those that end. A core that New makes during
// the call may be among them. Children is how many connections to servers a
// core has from now on: a principal that has more than it may keeps what it has.
func (p *Pool) Renew(children int, f func(Core)) {
	p.mu.Lock()
	p.opts.Children = children
	made := make([]*scope, 0, len(p.scopes))
	for _, s := range p.scopes {
		if s.account != nil {
			s.account.children += children - s.children
		}
		s.children = children
		if s.claimed.Load() {
			made = append(made, s)
		}
	}
	p.mu.Unlock()
	for _, s := range made {
		<-s.ready
		if s.core != nil {
			f(s.core)
		}
	}
}
