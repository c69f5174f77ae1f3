package verdict

import (
	"cmp"
	"slices"
)

// Bounds of an inventory: those of the contract with scanners.
const (
	maxInventory      = 500
	maxInventoryBytes = 32 << 10
	maxOfferedName    = 1 << 10
)

// NewInventory returns the tools of servers, by the server's name, sorted and
// each once. Where there are too many, every server has its share, so that none
// crowds out what others offer. The same tools give the same inventory, in
// whatever order they are listed.
func NewInventory(tools map[string][]string) []Offered {
	type offer struct {
		server string
		names  []string
	}
	offers := make([]offer, 0, len(tools))
	for server, names := range tools {
		names = slices.Clone(names)
		slices.Sort(names)
		offers = append(offers, offer{server, slices.Compact(names)})
	}
	slices.SortFunc(offers, func(a, b offer) int { return cmp.Compare(a.server, b.server) })
	var all []Offered
	size := 0
	for i, more := 0, true; more; i++ {
		more = false
		for _, o := range offers {
			if i >= len(o.names) {
				continue
			}
			more = true
			name := o.names[i]
			if name == "" || len(name) > maxOfferedName || len(o.server) > maxOfferedName {
				continue
			}
			if size += len(o.server) + len(name); size > maxInventoryBytes || len(all) == maxInventory {
				more = false
				break
			}
			all = append(all, Offered{o.server, name})
		}
	}
	slices.SortFunc(all, func(a, b Offered) int {
		return cmp.Or(cmp.Compare(a.Server, b.Server), cmp.Compare(a.Name, b.Name))
	})
	return all
}
