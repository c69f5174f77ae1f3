package report

import (
	"cmp"
	"slices"
)

// Count is how often a name occurred.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// Others stands for the names that are not told apart.
const Others = "(others)"

// maxNames bounds the names of one kind that are told apart.
const maxNames = 1000

// counts adds up by name.
type counts map[string]uint64

func (c counts) add(name string, n uint64) {
	if _, ok := c[name]; !ok && len(c) >= maxNames {
		name = Others
	}
	c[name] += n
}

// list returns the counts, the largest first.
func (c counts) list() []Count {
	all := make([]Count, 0, len(c))
	for name, n := range c {
		all = append(all, Count{name, n})
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return all
}
