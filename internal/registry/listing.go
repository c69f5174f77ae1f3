package registry

import (
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Listing is what a server lists of one kind.
type Listing struct {
	Items []Item
	// TTL is for how long the server says that its list may be kept. It counts
	// when HasTTL is set: servers of the legacy era say nothing.
	TTL    time.Duration
	HasTTL bool
	// Headers says that the server reads arguments of tools in HTTP headers also
	// (modern era over Streamable HTTP). A tool whose annotations for them are
	// not valid is not offered then; elsewhere they mean nothing.
	Headers bool
}

// maxTTL bounds for how long clients may keep a list: what is withheld later
// must not live on in their caches. It is also what clients are told when no
// server says anything, because they hear of changes.
const maxTTL = time.Minute

// prepare returns the items as the registry keeps them.
func (l *Listing) prepare(k Kind) []Item {
	items := slices.Clone(l.Items)
	if k != Tools {
		return items
	}
	for i := range items {
		it := &items[i]
		if !it.State.listed() {
			continue
		}
		it.Repeatable = it.State == Offered && !it.Changed && protocol.Repeatable(it.Raw)
		schema, ok := jsonrpc.Member(it.Raw, "inputSchema")
		if !ok {
			continue
		}
		mirrors, err := protocol.Mirrors(schema)
		switch {
		case err == nil:
			it.Mirrors = mirrors
		case l.Headers:
			it.State, it.Reason = Failed, "its x-mcp-header annotations are not valid"
		}
	}
	return items
}

// ttl returns for how long clients may keep the list of a kind. r.mu is held.
func (r *Registry) ttl(k Kind) time.Duration {
	least := maxTTL
	for _, s := range r.servers {
		if s.hints[k].known {
			least = min(least, s.hints[k].ttl)
		}
	}
	return max(least, 0)
}

// hint is what a server says of its list's lifetime.
type hint struct {
	ttl   time.Duration
	known bool
}
