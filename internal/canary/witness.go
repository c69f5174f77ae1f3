package canary

import (
	"context"
	"errors"
	"sync"

	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Opinion is what one scanner did with one text.
type Opinion struct {
	Scanner string
	Phase   verdict.Phase
	Method  string
	Action  verdict.Action // unspecified when there was no verdict
	Failure string         // why not
}

// Witness notes what scanners were shown. It is safe for concurrent use.
type Witness struct {
	mu    sync.Mutex
	runs  map[string]map[Mark][]Opinion
	scans map[string]int // by scanner
}

// NewWitness returns a witness who has seen nothing.
func NewWitness() *Witness {
	return &Witness{runs: map[string]map[Mark][]Opinion{}, scans: map[string]int{}}
}

// Follow has the witness look at what a run sends from now on.
func (w *Witness) Follow(r Run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs[r.id] = map[Mark][]Opinion{}
}

// Scans returns how often a scanner was asked.
func (w *Witness) Scans(scanner string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.scans[scanner]
}

// Opinions returns what was said about a text.
func (w *Witness) Opinions(r Run, m Mark) []Opinion {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[r.id][m]
}

// Watch returns a scanner that does what s does, with the witness looking on.
func (w *Witness) Watch(name string, s scan.Scanner) scan.Scanner { return watched{w, name, s} }

type watched struct {
	witness *Witness
	name    string
	scan.Scanner
}

var _ scan.Scanner = watched{}

// Scan implements scan.Scanner.
func (s watched) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	v, err := s.Scanner.Scan(ctx, c)
	o := Opinion{Scanner: s.name, Phase: c.Phase, Method: c.Origin.Method, Action: v.Action}
	if err != nil {
		o.Action, o.Failure = verdict.ActionUnspecified, "failure"
		if f, ok := errors.AsType[*verdict.Failure](err); ok {
			o.Failure = f.Reason
		}
	}
	w := s.witness
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scans[s.name]++
	for id, seen := range w.runs {
		for _, m := range RunOf(id).marks(c.Data) {
			seen[m] = append(seen[m], o)
		}
	}
	return v, err //nolint:wrapcheck // the gate switches on it
}
