package guard

import (
	"regexp"
	"slices"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

func testEngine(tb testing.TB) *engine {
	tb.Helper()
	e, err := loadEngine()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// scanField scans one string with the default settings.
func scanField(tb testing.TB, phase scanner.Phase, r role, text string) *scan {
	tb.Helper()
	return scanWith(tb, &settings{maxBytes: defaultMaxBytes}, phase, r, text)
}

// scanWith scans one string in a role, as the rules' own tests do.
func scanWith(tb testing.TB, set *settings, phase scanner.Phase, r role, text string) *scan {
	tb.Helper()
	s := newScan(testEngine(tb), set, scanner.Content{Phase: phase, Data: []byte(text)})
	if err := s.field(tb.Context(), field{pointer: "/x", text: text, role: r}); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (r *report) has(rule string) bool {
	for _, f := range r.found {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

func TestEveryRuleMeetsItsOwnTests(t *testing.T) {
	e := testEngine(t)
	if len(e.rules) < 25 {
		t.Errorf("%d rules, want at least 25", len(e.rules))
	}
	seen := map[string]bool{}
	for i := range e.rules {
		r := &e.rules[i]
		t.Run(r.ID, func(t *testing.T) {
			if seen[r.ID] {
				t.Error("the id is used twice")
			}
			seen[r.ID] = true
			checkWords(t, r)
			for _, test := range r.Tests.Hit {
				if !ruleTestHits(t, r, test) {
					t.Errorf("misses %q", test.Text)
				}
			}
			for _, test := range r.Tests.Miss {
				if ruleTestHits(t, r, test) {
					t.Errorf("hits %q", test.Text)
				}
			}
		})
	}
}

func checkWords(t *testing.T, r *rule) {
	t.Helper()
	if !regexp.MustCompile(`^guard/[a-z0-9-]{3,60}$`).MatchString(r.ID) {
		t.Error("the id is not guard/words-with-dashes")
	}
	if !regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`).MatchString(r.Category) {
		t.Errorf("category %q is not family.name", r.Category)
	}
	if r.Title == "" || r.Explain == "" || r.Confidence <= 0 || r.Confidence > 1 {
		t.Error("title, explain and confidence are required")
	}
	if !slices.ContainsFunc(r.OWASP, regexp.MustCompile(`^MCP(0[1-9]|10)$`).MatchString) ||
		!slices.ContainsFunc(r.OWASP, regexp.MustCompile(`^LLM(0[1-9]|10)$`).MatchString) {
		t.Errorf("owasp %q names no risk of each list, as MCP05 and LLM01", r.OWASP)
	}
	if len(r.Tests.Hit) == 0 || len(r.Tests.Miss) == 0 {
		t.Error("a rule needs at least one hit and one miss")
	}
	if r.Pattern == "" {
		return
	}
	probes, err := newProbes(owner{rule: r}, r.Pattern, r.Keywords, r.Group, looseRepeat)
	if err != nil {
		t.Fatal(err)
	}
	checkReach(t, probes)
	if _, err := regexp.Compile(r.Pattern); err != nil {
		t.Error(err)
	}
	if _, err := regexp.Compile(r.Unless); err != nil {
		t.Error(err)
	}
}

// ruleTestHits reports whether the rule finds the test's text, in the rule's
// first phase and role unless the test names others.
func ruleTestHits(t *testing.T, r *rule, test ruleTest) bool {
	t.Helper()
	phase, where := scanner.PhaseResponse, roleText
	var err error
	if name := test.Phase; name != "" || len(r.Phases) > 0 {
		if name == "" {
			name = r.Phases[0]
		}
		if phase, err = parsePhase(name); err != nil {
			t.Fatal(err)
		}
	}
	if name := test.Role; name != "" || len(r.Roles) > 0 {
		if name == "" {
			name = r.Roles[0]
		}
		if where, err = parseRole(name); err != nil {
			t.Fatal(err)
		}
	}
	if len(test.Inventory) > 0 {
		return besideOthers(t, test).has(r.ID)
	}
	return scanWith(t, &settings{maxBytes: defaultMaxBytes, enabled: []string{r.ID}}, phase, where, test.Text).has(r.ID)
}

func TestEveryFeatureMeetsItsOwnTests(t *testing.T) {
	e := testEngine(t)
	if len(e.instructions.Groups) > maxGroups {
		t.Fatalf("%d groups, at most %d fit", len(e.instructions.Groups), maxGroups)
	}
	for i := range e.instructions.Features {
		f := &e.instructions.Features[i]
		t.Run(f.Group, func(t *testing.T) {
			probes, err := newProbes(owner{feature: f}, f.Pattern, f.Keywords, 0, looseRepeat)
			if err != nil {
				t.Fatal(err)
			}
			checkReach(t, probes)
			if len(f.Hit) == 0 || len(f.Miss) == 0 {
				t.Error("a feature needs at least one hit and one miss")
			}
			s, err := newSearcher(probes)
			if err != nil {
				t.Fatal(err)
			}
			finds := func(text string) bool {
				n := 0
				s.search(text, func(*probe) bool { return true }, &budget{left: 1 << 20}, func(found) { n++ })
				return n > 0
			}
			for _, text := range f.Hit {
				if !finds(text) {
					t.Errorf("misses %q", text)
				}
			}
			for _, text := range f.Miss {
				if finds(text) {
					t.Errorf("hits %q", text)
				}
			}
		})
	}
}

func TestEveryPhraseMeetsItsOwnTests(t *testing.T) {
	e := testEngine(t)
	for i := range e.lexicon.phrases {
		p := &e.lexicon.phrases[i]
		if len(p.Hit) == 0 || len(p.Miss) == 0 || len(p.traits) == 0 {
			t.Errorf("%q needs groups, at least one hit and one miss", p.Any)
		}
		finds := func(text string) bool {
			found := false
			wanted := func(q *phrase) bool { return q == p }
			e.lexicon.find(text, wanted, &budget{left: 1 << 20}, func(*phrase, span) { found = true })
			return found
		}
		for _, text := range p.Hit {
			if !finds(text) {
				t.Errorf("%v %q misses %q", p.Groups, p.Any, text)
			}
		}
		for _, text := range p.Miss {
			if finds(text) {
				t.Errorf("%v %q hits %q", p.Groups, p.Any, text)
			}
		}
	}
}

func checkReach(t *testing.T, probes []probe) {
	t.Helper()
	for _, p := range probes {
		if p.total > maxReach {
			t.Errorf("the pattern may match %d bytes: bound its repetitions to stay below %d", p.total, maxReach)
		}
	}
}
