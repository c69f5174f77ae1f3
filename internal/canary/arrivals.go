package canary

import "sync"

// Arrivals notes the texts that reached an end of the conversation. It is safe for
// concurrent use.
type Arrivals struct {
	run  Run
	mu   sync.Mutex
	came map[Mark]bool
}

// NewArrivals returns the arrivals of a run; there are none yet.
func NewArrivals(r Run) *Arrivals { return &Arrivals{run: r, came: map[Mark]bool{}} }

// Note looks for texts of the run.
func (a *Arrivals) Note(data []byte) {
	marks := a.run.marks(data)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range marks {
		a.came[m] = true
	}
}

// Came reports whether a text arrived.
func (a *Arrivals) Came(m Mark) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.came[m]
}
