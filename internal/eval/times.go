package eval

import (
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Times is how long a scanner took over the content of one phase, with the way to
// its process and back. A definition is judged among others of its server, which Bytes counts.
type Times struct {
	Phase  string        `json:"phase"`
	Items  int           `json:"items"`
	Median time.Duration `json:"median_ns"`
	P95    time.Duration `json:"p95_ns"`
	P99    time.Duration `json:"p99_ns"`
	Max    time.Duration `json:"max_ns"`
	Bytes  int           `json:"median_bytes"`
}

// times returns the times of one scanner, by phase.
func times(results []*Result, scanner string) []Times {
	var took [verdict.Notification + 1][]time.Duration
	var sizes [verdict.Notification + 1][]int
	for _, r := range results {
		for i := range r.Opinions {
			if o := &r.Opinions[i]; o.Scanner == scanner && o.ScannerTime > 0 {
				p := r.Item.Phase.Phase
				took[p], sizes[p] = append(took[p], o.ScannerTime), append(sizes[p], o.Size)
			}
		}
	}
	var out []Times
	for p := range took {
		if len(took[p]) == 0 {
			continue
		}
		slices.Sort(took[p])
		slices.Sort(sizes[p])
		at := func(percent int) time.Duration { return took[p][(len(took[p])-1)*percent/100] }
		out = append(out, Times{
			Phase: verdict.Phase(p).String(), Items: len(took[p]),
			Median: at(50), P95: at(95), P99: at(99), Max: at(100), Bytes: sizes[p][len(sizes[p])/2],
		})
	}
	return out
}
