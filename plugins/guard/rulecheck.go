package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// RuleCheck is what checking a file of rules found.
type RuleCheck struct {
	Rules    []CheckedRule
	Problems []RuleProblem // why the file cannot be used
	Failed   []RuleProblem // the tests in it that fail
	Sample   int           // harmless items that the rules were tried on
}

// CheckedRule is one rule with what its tests and the sample say.
type CheckedRule struct {
	RuleInfo

	Line        int      `json:"line"`
	Tests       int      `json:"tests"`
	SampleHits  int      `json:"sample_hits"`
	SampleItems []string `json:"sample_items"` // which, the first few
}

// manyItems is how many items of the sample are named.
const manyItems = 5

// CheckRules checks a file of rules, runs the tests in it, and tries the rules
// on a small sample of harmless content. It returns an error only when ctx ends
// before it is done, or the sample cannot be read.
func CheckRules(ctx context.Context, data []byte) (RuleCheck, error) {
	rules, problems := readUserRules(data)
	check := RuleCheck{Problems: problems}
	if len(problems) > 0 {
		return check, nil
	}
	e, err := newEngine(rules...)
	if err != nil {
		check.Problems = []RuleProblem{{Message: err.Error() + ": give fewer rules or words"}}
		return check, nil //nolint:nilerr // it is a problem of the file
	}
	lines := ruleLines(data)
	own := e.rules[len(e.rules)-len(rules):]
	for i := range own {
		r := &own[i]
		c := CheckedRule{RuleInfo: r.info(), Tests: len(r.Tests.Hit) + len(r.Tests.Miss) + len(r.Words), SampleItems: []string{}}
		if i < len(lines) {
			c.Line = lines[i]
		}
		for _, failed := range e.failedTests(ctx, r) {
			check.Failed = append(check.Failed, RuleProblem{Line: c.Line, Rule: r.ID, Message: failed})
		}
		check.Rules = append(check.Rules, c)
	}
	err = check.try(ctx, e)
	return check, err
}

func ruleLines(data []byte) []int {
	r := &ruleReader{}
	r.decode(data)
	lines := make([]int, 0, len(r.lines))
	for _, n := range r.lines {
		lines = append(lines, n.Line)
	}
	return lines
}

// failedTests says which of the rule's own tests fail.
func (e *engine) failedTests(ctx context.Context, r *rule) []string {
	var failed []string
	hits := slices.Clone(r.Tests.Hit)
	for _, w := range r.Words {
		hits = append(hits, ruleTest{Text: w})
	}
	for i, t := range hits {
		if ok, err := e.testHits(ctx, r, t); err != nil {
			failed = append(failed, fmt.Sprintf("hit %d: %v", i+1, err))
		} else if !ok {
			failed = append(failed, fmt.Sprintf("it does not find %q, which is the text of hit %d", shorten(t.Text), i+1))
		}
	}
	for i, t := range r.Tests.Miss {
		if ok, err := e.testHits(ctx, r, t); err != nil {
			failed = append(failed, fmt.Sprintf("miss %d: %v", i+1, err))
		} else if ok {
			failed = append(failed, fmt.Sprintf("it finds %q, which is the text of miss %d", shorten(t.Text), i+1))
		}
	}
	return failed
}

// longestQuote is how much of a test's text is shown, in bytes.
const longestQuote = 80

func shorten(text string) string {
	if len(text) <= longestQuote {
		return text
	}
	return strings.ToValidUTF8(text[:longestQuote], "") + "…"
}

// testHits reports whether the rule finds the test's text, in the rule's first
// phase and role unless the test names others.
func (e *engine) testHits(ctx context.Context, r *rule, t ruleTest) (bool, error) {
	phase, where := scanner.PhaseResponse, roleText
	var err error
	if name := first(t.Phase, r.Phases); name != "" {
		if phase, err = parsePhase(name); err != nil {
			return false, err
		}
	}
	if name := first(t.Role, r.Roles); name != "" {
		if where, err = parseRole(name); err != nil {
			return false, err
		}
	}
	s := newScan(e, &settings{maxBytes: defaultMaxBytes, enabled: []string{r.ID}}, scanner.Content{Phase: phase, Data: []byte(t.Text)})
	if err := s.field(ctx, field{pointer: "/test", text: t.Text, role: where}); err != nil {
		return false, err
	}
	return slices.ContainsFunc(s.found, func(f result) bool { return f.Rule == r.ID }), nil
}

func first(own string, list []string) string {
	if own != "" || len(list) == 0 {
		return own
	}
	return list[0]
}

// try runs the rules on the sample.
func (c *RuleCheck) try(ctx context.Context, e *engine) error {
	items, err := readSample()
	if err != nil {
		return err
	}
	c.Sample = len(items)
	set := &settings{maxBytes: defaultMaxBytes}
	for i := range c.Rules {
		set.enabled = append(set.enabled, c.Rules[i].ID)
	}
	for i := range items {
		content := items[i].content()
		s := newScan(e, set, content)
		if err := s.run(ctx, content); err != nil {
			return err
		}
		for j := range c.Rules {
			r := &c.Rules[j]
			if !slices.ContainsFunc(s.found, func(f result) bool { return f.Rule == r.ID }) {
				continue
			}
			r.SampleHits++
			if len(r.SampleItems) < manyItems {
				r.SampleItems = append(r.SampleItems, items[i].ID)
			}
		}
	}
	return nil
}
