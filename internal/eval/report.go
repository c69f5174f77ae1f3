package eval

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Report is what a corpus says about scanners.
type Report struct {
	Items     int `json:"items"`
	Malicious int `json:"malicious"`
	Benign    int `json:"benign"`
	Unjudged  int `json:"unjudged"` // no scanner covers them
	// Failures counts the items without a verdict, by scanner and reason.
	Failures map[string]map[string]int `json:"failures,omitempty"`

	Detection      Section `json:"detection"`       // of malicious items
	FalsePositives Section `json:"false_positives"` // of benign ones
	// Fired are the rules that found something in benign items, the most
	// frequent first.
	Fired []Fired `json:"fired"`
	// Scanners has each scanner by itself.
	Scanners []ScannerReport `json:"scanners"`
}

// Section is rates of the items of one label.
type Section struct {
	ByPhase    []Row `json:"by_phase"`
	ByCategory []Row `json:"by_category"`
}

// Row is what became of the items that have something in common.
type Row struct {
	Phase    string `json:"phase"`
	Tier     string `json:"tier,omitempty"`
	Category string `json:"category,omitempty"`
	Found    Rate   `json:"found"` // with the action flag or a stronger one
	Blocked  Rate   `json:"blocked"`
}

// Fired is a rule that found something in benign items.
type Fired struct {
	Scanner  string   `json:"scanner"`
	Rule     string   `json:"rule"`
	Phase    string   `json:"phase"`
	Category string   `json:"category"` // of the items
	Items    int      `json:"items"`
	Examples []string `json:"examples"` // ids of some
}

// ScannerReport is what one scanner did.
type ScannerReport struct {
	Scanner        string  `json:"scanner"`
	Detection      Section `json:"detection"`
	FalsePositives Section `json:"false_positives"`
	Times          []Times `json:"times"`
}

// maxExamples is how many items a rule that fired is shown with.
const maxExamples = 3

// Summarise adds up the results of the scanners of those names.
func Summarise(results []*Result, scanners []string) *Report {
	r := &Report{Failures: map[string]map[string]int{}, Fired: fired(results)}
	for _, one := range results {
		r.Items++
		if one.Item.Label == Malicious {
			r.Malicious++
		} else {
			r.Benign++
		}
		if !one.Judged() {
			r.Unjudged++
		}
		for i := range one.Opinions {
			if o := &one.Opinions[i]; o.Failure != "" {
				if r.Failures[o.Scanner] == nil {
					r.Failures[o.Scanner] = map[string]int{}
				}
				r.Failures[o.Scanner][o.Failure]++
			}
		}
	}
	all := func(one *Result) (verdict.Action, bool) { return one.Action, !one.Failed() }
	r.Detection, r.FalsePositives = section(results, Malicious, all), section(results, Benign, all)
	for _, name := range scanners {
		by := func(one *Result) (verdict.Action, bool) { return one.by(name) }
		r.Scanners = append(r.Scanners, ScannerReport{
			Scanner: name, Detection: section(results, Malicious, by), FalsePositives: section(results, Benign, by),
			Times: times(results, name),
		})
	}
	return r
}

// by returns what a scanner said of the item, if it judged it.
func (r *Result) by(scanner string) (action verdict.Action, judged bool) {
	action = verdict.Allow
	for i := range r.Opinions {
		if o := &r.Opinions[i]; o.Scanner == scanner && o.Judged && o.Failure == "" {
			action, judged = max(action, o.Action), true
		}
	}
	return action, judged
}

// key orders rows: by phase, then tier, then category.
type key struct {
	phase          verdict.Phase
	tier, category string
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.phase, o.phase), cmp.Compare(k.tier, o.tier), cmp.Compare(k.category, o.category))
}

// section counts the items of a label. action says what was made of an item; it
// reports false for one that does not count.
func section(results []*Result, label string, action func(*Result) (verdict.Action, bool)) Section {
	phases, categories := map[key]*Row{}, map[key]*Row{}
	add := func(rows map[key]*Row, k key, a verdict.Action) {
		row := rows[k]
		if row == nil {
			row = &Row{Phase: k.phase.String(), Tier: k.tier, Category: k.category}
			rows[k] = row
		}
		row.Found.add(a > verdict.Allow)
		row.Blocked.add(a == verdict.Block)
	}
	for _, r := range results {
		a, counts := action(r)
		if r.Item.Label != label || !counts {
			continue
		}
		k := key{phase: r.Item.Phase.Phase, tier: r.Item.Tier}
		add(phases, k, a)
		k.category = r.Item.Group()
		add(categories, k, a)
	}
	return Section{sorted(phases), sorted(categories)}
}

func sorted(rows map[key]*Row) []Row {
	out := make([]Row, 0, len(rows))
	for _, k := range slices.SortedFunc(maps.Keys(rows), key.compare) {
		out = append(out, *rows[k])
	}
	return out
}

// fired counts the rules that found something in benign items.
func fired(results []*Result) []Fired {
	type rule struct{ scanner, rule, phase, category string }
	rules := map[rule]*Fired{}
	for _, r := range results {
		if r.Item.Label != Benign {
			continue
		}
		counted := map[rule]bool{}
		for i := range r.Opinions {
			o := &r.Opinions[i]
			if o.Action <= verdict.Allow {
				continue // mentioned, not held against it
			}
			for j := range o.Findings {
				k := rule{o.Scanner, o.Findings[j].Rule, r.Item.Phase.String(), r.Item.Group()}
				if counted[k] {
					continue
				}
				counted[k] = true
				if rules[k] == nil {
					rules[k] = &Fired{Scanner: k.scanner, Rule: k.rule, Phase: k.phase, Category: k.category}
				}
				f := rules[k]
				if f.Items++; len(f.Examples) < maxExamples {
					f.Examples = append(f.Examples, r.Item.ID)
				}
			}
		}
	}
	out := make([]Fired, 0, len(rules))
	for _, f := range rules {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Fired) int {
		return cmp.Or(cmp.Compare(b.Items, a.Items), cmp.Compare(a.Scanner, b.Scanner), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Category, b.Category))
	})
	return out
}
