package relay

import (
	"slices"
	"strings"
	"sync"

	"github.com/mcp-relay/relay/internal/peer"
)

// hub knows which client wants to hear of which changes, and so which resources
// each server is asked to watch.
type hub struct {
	mu      sync.Mutex
	watched map[resource]map[subscriber]struct{}
	listens map[*listen]struct{}
}

// resource is a resource of a server.
type resource struct{ server, uri string }

// subscriber is who hears of changes of a resource: a session of the legacy
// era or a subscription of the modern one.
type subscriber interface {
	Notify(c peer.Cleared) error
}

// maxWatched bounds the resources that one subscriber may watch.
const maxWatched = 1000

// watch notes that sub wants to hear of a resource. added says that it did not
// before; ok is false above the limit.
func (h *hub) watch(res resource, sub subscriber) (added, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs := h.watched[res]
	if _, known := subs[sub]; known {
		return false, true
	}
	n := 0
	for _, others := range h.watched {
		if _, too := others[sub]; too {
			n++
		}
	}
	if n >= maxWatched {
		return false, false
	}
	if subs == nil {
		if h.watched == nil {
			h.watched = map[resource]map[subscriber]struct{}{}
		}
		subs = map[subscriber]struct{}{}
		h.watched[res] = subs
	}
	subs[sub] = struct{}{}
	return true, true
}

// unwatch ends that, and reports whether sub was the last to watch the resource.
func (h *hub) unwatch(res resource, sub subscriber) (last bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	subs := h.watched[res]
	if _, known := subs[sub]; !known {
		return false
	}
	delete(subs, sub)
	if len(subs) > 0 {
		return false
	}
	delete(h.watched, res)
	return true
}

// leave ends everything that sub watches, and returns what nobody watches any
// more.
func (h *hub) leave(sub subscriber) []resource {
	h.mu.Lock()
	defer h.mu.Unlock()
	var idle []resource
	for res, subs := range h.watched {
		if _, known := subs[sub]; !known {
			continue
		}
		delete(subs, sub)
		if len(subs) == 0 {
			delete(h.watched, res)
			idle = append(idle, res)
		}
	}
	return idle
}

// isWatched reports whether somebody watches a resource.
func (h *hub) isWatched(res resource) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watched[res]) > 0
}

// of returns the resources of a server that somebody watches, in a fixed order.
func (h *hub) of(server string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var uris []string
	for res := range h.watched {
		if res.server == server {
			uris = append(uris, res.uri)
		}
	}
	slices.Sort(uris)
	return uris
}

// watchers returns who watches a resource of a server: under this URI, or under
// that of something that it is a part of (MCP 2025-11-25, resources,
// subscriptions).
func (h *hub) watchers(server, uri string) []subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	var subs []subscriber
	seen := map[subscriber]bool{}
	for res, others := range h.watched {
		if res.server != server || !partOf(uri, res.uri) {
			continue
		}
		for sub := range others {
			if !seen[sub] {
				seen[sub] = true
				subs = append(subs, sub)
			}
		}
	}
	return subs
}

// partOf reports whether a URI is another one, or of something below it.
func partOf(uri, whole string) bool {
	rest, ok := strings.CutPrefix(uri, whole)
	return ok && (rest == "" || strings.HasSuffix(whole, "/") || strings.IndexByte("/?#", rest[0]) >= 0)
}

// add begins a subscription of the modern era.
func (h *hub) add(l *listen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listens == nil {
		h.listens = map[*listen]struct{}{}
	}
	h.listens[l] = struct{}{}
}

// remove ends it.
func (h *hub) remove(l *listen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listens, l)
}

// tasks returns the ids of the tasks that subscriptions follow.
func (h *hub) tasks() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for l := range h.listens {
		ids = append(ids, l.filter.Tasks...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// listening returns the subscriptions that a predicate holds for.
func (h *hub) listening(want func(l *listen) bool) []*listen {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []*listen
	for l := range h.listens {
		if want(l) {
			all = append(all, l)
		}
	}
	return all
}
