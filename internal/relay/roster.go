package relay

import "github.com/mcp-relay/relay/internal/registry"

// roster is the servers that are configured. It never changes: another one
// takes its place.
type roster struct {
	servers []*server // in configuration order
	byName  map[string]*server
}

func newRoster(servers []*server) *roster {
	r := &roster{servers: servers, byName: make(map[string]*server, len(servers))}
	for _, s := range servers {
		r.byName[s.cfg.Name] = s
	}
	return r
}

// servers returns the servers that are configured at this moment, in
// configuration order.
func (r *Relay) servers() []*server { return r.roster.Load().servers }

// named returns a server by its name; nil: none is configured.
func (r *Relay) named(name string) *server { return r.roster.Load().byName[name] }

// only returns the server when there is no other, else nil.
func (r *Relay) only() *server {
	if all := r.servers(); len(all) == 1 {
		return all[0]
	}
	return nil
}

// several reports whether more than one server is configured. Then clients have
// to be told which one speaks.
func (r *Relay) several() bool { return len(r.servers()) > 1 }

// leading returns a route to the server of a name. What it offered is known a
// moment longer than a server that is configured no more.
func (r *Relay) leading(to route, server string) (route, finding) {
	if to.server = r.named(server); to.server == nil {
		return route{}, unknown
	}
	return to, found
}

// placesOf returns the names of servers and their twins, for the registry.
func placesOf(servers []Server) (order []string, twins map[string]string) {
	twins = map[string]string{}
	for i := range servers {
		order = append(order, servers[i].Name)
		twins[servers[i].Name] = servers[i].Twin
	}
	return order, twins
}

// follows reports whether s may be sent what was judged for before: it is that
// server, or has taken its place.
func (s *server) follows(before *server) bool {
	return s == before || s.cfg.Name == before.cfg.Name && s.cfg.Hidden == before.cfg.Hidden
}

// install sets what the server offers of a kind, and reports whether clients
// see a change. A server that is configured no more offers nothing.
func (s *server) install(k registry.Kind, l registry.Listing) bool {
	s.offering.Lock()
	defer s.offering.Unlock()
	if s.left.Load() {
		return false
	}
	changed := s.relay.registry.Install(s.cfg.Name, k, l)
	s.relay.epoch.Add(1)
	return changed
}

// offerNothing takes away what the server offered, and returns the kinds of
// which clients see less.
func (s *server) offerNothing() []registry.Kind {
	s.offering.Lock()
	defer s.offering.Unlock()
	if s.left.Load() {
		return nil // the name may be another's by now
	}
	changed := s.relay.registry.Remove(s.cfg.Name)
	s.relay.epoch.Add(1)
	return changed
}
