package relay

import (
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/session"
)

// audience returns the clients that may be told what belongs to none of their
// requests: those of the legacy era that have said something. A client takes
// what comes before the answer to its handshake for that answer, and one of the
// modern era has to subscribe.
func (r *Relay) audience() []*Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*Client
	for c := range r.clients {
		if c.spoken.Load() && !c.modern.Load() {
			all = append(all, c)
		}
	}
	return all
}

// broadcast sends a notification to everybody.
func (r *Relay) broadcast(c peer.Cleared) {
	for _, cl := range r.audience() {
		r.reached(cl.session.Notify(c))
	}
}

// broadcastLog sends a log message to everybody who wants its level.
func (r *Relay) broadcastLog(c peer.Cleared, level string) {
	for _, cl := range r.audience() {
		if wanted := cl.session.Sender().LogLevel; wanted == "" || reaches(level, wanted) {
			r.reached(cl.session.Notify(c))
		}
	}
}

// listChanged tells every client that it has to ask again.
func (r *Relay) listChanged(kinds []registry.Kind) {
	told := map[string]bool{}
	for _, k := range kinds {
		method := changedMethod[k]
		if told[method] {
			continue
		}
		told[method] = true
		c := r.author(peer.Params, method, nil)
		r.broadcast(c)
		for _, l := range r.hub.listening(func(l *listen) bool { return l.wants(method) }) {
			r.reached(l.Notify(c))
		}
	}
}

// onlyClient returns the session of the only client, of the legacy era, that is
// connected; nil when there are others.
func (r *Relay) onlyClient() *session.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	var only *session.Session
	for c := range r.clients {
		if only != nil || c.modern.Load() {
			return nil
		}
		only = c.session
	}
	return only
}

// onePrincipal reports whether all clients are one principal's, so that what is
// for one of them is no secret to the others.
func (r *Relay) onePrincipal() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var principal string
	for c := range r.clients {
		if principal != "" && c.session.Principal() != principal {
			return false
		}
		principal = c.session.Principal()
	}
	return true
}
