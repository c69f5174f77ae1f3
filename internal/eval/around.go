package eval

import (
	"cmp"
	"hash/fnv"
	"io"
	"maps"
	"slices"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Bounds of what stands around a definition when it is judged.
const (
	maxAround      = 32
	maxAroundBytes = 128 << 10
	// sessionServers is how many other servers somebody has beside one.
	sessionServers = 8
)

// surroundings are what is known when a definition is judged: other definitions
// of the same server, and what other servers offer.
type surroundings struct {
	same   [][]byte
	others []verdict.Offered
}

// neighbours are the definitions that stand around others, by server: those that
// are benign.
type neighbours map[string][]*Item

func neighboursOf(items []Item) neighbours {
	n := neighbours{}
	for i := range items {
		if it := &items[i]; it.Phase.Phase == verdict.Definition && it.Label == Benign {
			n[it.server()] = append(n[it.server()], it)
		}
	}
	return n
}

// around returns what is known when an item is judged.
func (n neighbours) around(it *Item) surroundings {
	if it.Phase.Phase != verdict.Definition {
		return surroundings{}
	}
	return surroundings{same: n.of(it), others: n.session(it)}
}

// of returns what a server lists beside an item.
func (n neighbours) of(it *Item) [][]byte {
	var out [][]byte
	size := 0
	for _, other := range n[it.server()] {
		raw := other.definition()
		if other == it || other.target() == it.target() || size+len(raw) > maxAroundBytes {
			continue
		}
		if out, size = append(out, raw), size+len(raw); len(out) == maxAround {
			break
		}
	}
	return out
}

// session returns the tools of the servers that somebody could have beside that
// of an item: some of the corpus, always the same for one server.
func (n neighbours) session(it *Item) []verdict.Offered {
	place := map[string]uint64{}
	for server := range n {
		if server != it.server() {
			h := fnv.New64a()
			_, _ = io.WriteString(h, it.server()+"\x00"+server) // a hash takes everything
			place[server] = h.Sum64()
		}
	}
	servers := slices.SortedFunc(maps.Keys(place), func(a, b string) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b))
	})
	tools := map[string][]string{}
	for _, server := range servers[:min(len(servers), sessionServers)] {
		for _, tool := range n[server] {
			tools[server] = append(tools[server], tool.target())
		}
	}
	return verdict.NewInventory(tools)
}
