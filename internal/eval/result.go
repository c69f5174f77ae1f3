package eval

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/definitions"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Result is what all scanners made of one item.
type Result struct {
	Item     *Item
	Action   verdict.Action // the strongest
	Opinions []Opinion
	Took     time.Duration
}

// Failed reports whether a scanner gave no verdict.
func (r *Result) Failed() bool {
	for i := range r.Opinions {
		if r.Opinions[i].Failure != "" {
			return true
		}
	}
	return false
}

// Judged reports whether anybody judged the item.
func (r *Result) Judged() bool {
	for i := range r.Opinions {
		if r.Opinions[i].Judged {
			return true
		}
	}
	return false
}

// Options say how a corpus is judged.
type Options struct {
	Drift    definitions.Policy // for items that are changes of definitions
	Parallel int                // items in judgement at a time; at least 1
}

// Run has every item judged and hands the results to each, in the order of the
// items, one at a time. It ends early, with an error, when ctx ends.
func Run(ctx context.Context, l *Lineup, items []Item, o Options, each func(*Result)) error {
	around := neighboursOf(items)
	results := make([]chan *Result, len(items))
	for i := range results {
		results[i] = make(chan *Result, 1)
	}
	var next sync.Mutex
	at := 0
	claim := func() int {
		next.Lock()
		defer next.Unlock()
		at++
		return at - 1
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	for range max(1, o.Parallel) {
		workers.Go(func() {
			for i := claim(); i < len(items) && ctx.Err() == nil; i = claim() {
				results[i] <- l.result(ctx, &items[i], around.around(&items[i]), o.Drift)
			}
		})
	}
	for i := range results {
		select {
		case r := <-results[i]:
			each(r)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Judge has a single item judged, with nothing around it.
func (l *Lineup) Judge(ctx context.Context, it *Item) *Result {
	return l.result(ctx, it, surroundings{}, definitions.Policy{})
}

func (l *Lineup) result(ctx context.Context, it *Item, around surroundings, policy definitions.Policy) *Result {
	r := &Result{Item: it, Action: verdict.Allow}
	start := time.Now()
	for _, e := range l.all {
		r.Opinions = append(r.Opinions, e.judge(ctx, it, around))
	}
	r.Took = time.Since(start)
	if o, ok := drift(ctx, policy, it); ok {
		r.Opinions = append(r.Opinions, o)
	}
	for i := range r.Opinions {
		r.Action = max(r.Action, r.Opinions[i].Action)
	}
	return r
}

// resultLine is a result as programs read it.
type resultLine struct {
	ID       string        `json:"id"`
	Action   string        `json:"action"`
	Findings []findingLine `json:"findings"`
	Failures []failureLine `json:"failures,omitempty"`
}

type findingLine struct {
	Scanner    string  `json:"scanner"`
	Rule       string  `json:"rule"`
	Category   string  `json:"category,omitempty"`
	Severity   string  `json:"severity,omitempty"`
	Confidence float64 `json:"confidence,omitempty"`
	Message    string  `json:"message,omitempty"`
	Pointer    string  `json:"pointer"`
	Start      int     `json:"start"`
	End        int     `json:"end"`
}

type failureLine struct {
	Scanner string `json:"scanner"`
	Reason  string `json:"reason"`
}

// MarshalJSON writes the item's id, the action, and the findings of all scanners.
// An item without any verdict has the action error.
func (r *Result) MarshalJSON() ([]byte, error) {
	line := resultLine{ID: r.Item.ID, Action: r.Action.String(), Findings: []findingLine{}}
	for i := range r.Opinions {
		o := &r.Opinions[i]
		if o.Failure != "" {
			line.Failures = append(line.Failures, failureLine{o.Scanner, o.Failure})
		}
		for j := range o.Findings {
			f := &o.Findings[j]
			line.Findings = append(line.Findings, findingLine{
				Scanner: o.Scanner, Rule: f.Rule, Category: f.Category, Severity: severity(f.Severity), Confidence: f.Confidence,
				Message: f.Message, Pointer: f.Location.Pointer, Start: f.Location.Start, End: f.Location.End,
			})
		}
	}
	if r.Failed() && r.Action <= verdict.Allow {
		line.Action = "error"
	}
	return json.Marshal(line) //nolint:wrapcheck // the caller knows what it writes
}

func severity(s verdict.Severity) string {
	if s == verdict.SeverityUnspecified {
		return ""
	}
	return s.String()
}
