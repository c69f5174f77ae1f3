package plugin

import (
	"math/rand/v2"
	"time"
)

const (
	pauseFirst   = 100 * time.Millisecond
	pauseLongest = 30 * time.Second
	calmAfter    = 60 * time.Second // of running; then the pauses are short again
	budget       = 5                // ends that no content explains ...
	budgetTime   = 10 * time.Minute // ... in this time, before it is given up
)

// restarts decides when an ended scanner is started again, and when no more.
type restarts struct {
	ceiling time.Duration
	ends    []time.Time
}

// next returns how long to wait before the next start: anything up to a ceiling
// that doubles, so that many relays do not start at once. It reports false when
// the budget is used up; only ends that count use it.
func (r *restarts) next(now time.Time, counts bool) (time.Duration, bool) {
	if counts {
		kept := r.ends[:0]
		for _, t := range r.ends {
			if now.Sub(t) < budgetTime {
				kept = append(kept, t)
			}
		}
		r.ends = append(kept, now)
		if len(r.ends) >= budget {
			return 0, false
		}
	}
	r.ceiling = min(max(2*r.ceiling, pauseFirst), pauseLongest)
	return rand.N(r.ceiling), true //nolint:gosec // jitter need not be unpredictable
}

// calm makes the next pause short again.
func (r *restarts) calm() { r.ceiling = 0 }

// renew forgets everything: somebody changed something.
func (r *restarts) renew() { *r = restarts{} }
