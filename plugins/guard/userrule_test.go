package guard

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// documented returns the example of a user's file in docs/guard.md.
func documented(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../../docs/guard.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "<!-- rules of a user -->\n\n```yaml\n")
	example, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatal("docs/guard.md has no example")
	}
	return []byte(example)
}

func TestDocumentedRulesWork(t *testing.T) {
	check, err := CheckRules(t.Context(), documented(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(check.Problems, check.Failed...) {
		t.Error(p)
	}
	for _, r := range check.Rules {
		if r.Line == 0 || r.Tests == 0 || r.SampleHits > 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(check.Rules) < 3 || check.Sample < 300 {
		t.Errorf("%d rules, %d items", len(check.Rules), check.Sample)
	}
}

func TestEveryProblemOfAFileIsReported(t *testing.T) {
	const file = `version: 1
rules:
  - id: guard/mine
    title: t
    pattern: 'abc(def'
    tests: {hit: [{text: abcdef}], miss: [{text: x}]}
  - id: a/two
    title: t
    phases: [reply]
    pattern: '\d{4}'
    tests: {hit: [{text: '1234'}], miss: [{text: x}]}
  - id: a/three
    title: t
    pattern: 'begin.*end'
    group: 3
    unless: '('
    near: {all: ['['], within: 5000}
  - id: a/three
    title: t
    words: [ab]
  - id: a/four
    title: t
    builtin: tags
    pattern: 'abc.{0,2000}def'
    tests: {hit: [{text: abcdef}], miss: [{text: x}]}
`
	_, problems := readUserRules([]byte(file))
	var all strings.Builder
	for _, p := range problems {
		all.WriteString(p.String() + "\n")
	}
	for _, want := range []string{
		`line 3: rule "guard/mine": ids that begin with guard/`, "line 5: rule \"guard/mine\": error parsing regexp: missing closing )",
		`line 9: rule "a/two": unknown phase "reply"`, `line 10: rule "a/two": every match must contain a text of at least 3 bytes`,
		`line 15: rule "a/three": the pattern has 0 groups`, `line 16: rule "a/three": error parsing`,
		`line 17: rule "a/three": within is at most`, `rule "a/three": give at least one text under tests.hit`,
		`line 18: rule "a/three": the id is used twice`, `line 20: rule "a/three": use words of 3`,
		`line 23: rule "a/four": remove it`, `rule "a/four": give the rule a pattern, or words, and not both`,
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if t.Failed() {
		t.Log(all.String())
	}
}

func TestUnknownKeysAreNamedTogether(t *testing.T) {
	_, problems := readUserRules([]byte("version: 1\nrules:\n  - id: a/one\n    patern: x\n    phases: request\n    confidence: high\nmore: 1\n"))
	if len(problems) != 4 || problems[0].Line != 4 || !strings.Contains(problems[0].Message, `no key "patern"`) {
		t.Errorf("%v", problems)
	}
	for _, p := range problems {
		if strings.Contains(p.Message, "guard.rule") || strings.Contains(p.Message, "[]string") || p.Line == 0 {
			t.Errorf("%v", p)
		}
	}
}

func TestFailedTestsAreNamed(t *testing.T) {
	check, err := CheckRules(t.Context(), []byte(`version: 1
rules:
  - id: a/one
    title: t
    pattern: 'falcon \d'
    tests: {hit: [{text: falcon x}], miss: [{text: falcon 9}]}
`))
	if err != nil || len(check.Problems) != 0 || len(check.Failed) != 2 {
		t.Errorf("%v, %+v", err, check)
	}
}

func TestTheSampleShowsARuleThatFindsTooMuch(t *testing.T) {
	check, err := CheckRules(t.Context(), []byte("version: 1\nrules: [{id: a/one, title: t, words: [the, file]}]\n"))
	if err != nil || len(check.Rules) != 1 || check.Rules[0].SampleHits < 50 || len(check.Rules[0].SampleItems) != manyItems {
		t.Errorf("%v, %+v", err, check)
	}
}

// configured returns a guard with a file of rules and further members.
func configured(t *testing.T, file string, members map[string]any) *Guard {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if members == nil {
		members = map[string]any{}
	}
	members["rules"] = []string{path}
	config, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	g := &Guard{}
	if err := g.Configure(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRulesOfAUserAreInForce(t *testing.T) {
	for name, test := range map[string]struct {
		members map[string]any
		text    string
		want    scanner.Action
	}{
		"words":              {nil, "the Bluebird launch", scanner.ActionRedact},
		"part of a word":     {nil, "bluebirds", scanner.ActionAllow},
		"near":               {nil, "invoice 4711 for ACME Ltd", scanner.ActionFlag},
		"not near":           {nil, "invoice 4711", scanner.ActionAllow},
		"near what is ruled": {nil, "invoice 4711 for ACME Ltd, a sample", scanner.ActionAllow},
		"in disguise":        {nil, "the %42luebird launch", scanner.ActionRedact},
		"reweighed":          {map[string]any{"actions": map[string]string{"a/names": "block"}}, "Bluebird", scanner.ActionBlock},
		"reweighed category": {map[string]any{"actions": map[string]string{"custom": "allow"}}, "Bluebird", scanner.ActionAllow},
		"disabled":           {map[string]any{"disable": []string{"a/names"}}, "Bluebird", scanner.ActionAllow},
		"those of guard too": {nil, "glpat-x8Kd93LmQ0xZr7TbVn2W", scanner.ActionRedact},
	} {
		t.Run(name, func(t *testing.T) {
			g := configured(t, `version: 1
rules:
  - {id: a/names, title: Code name, action: redact, words: [Bluebird, Falcon Nine]}
  - id: a/invoice
    title: Invoice
    pattern: '(?i)\binvoice \d{4}'
    near: {all: [ACME], none: ['(?i)\bsample\b'], within: 60}
    tests: {hit: [{text: Invoice 1234 ACME}], miss: [{text: invoice 1234}]}
`, test.members)
			data, err := json.Marshal(map[string]any{"content": []any{map[string]string{"type": "text", "text": test.text}}})
			if err != nil {
				t.Fatal(err)
			}
			v, err := g.Scan(t.Context(), jsonContent(scanner.PhaseResponse, string(data)))
			if err != nil || v.Action != test.want {
				t.Errorf("%v, %+v", err, v)
			}
		})
	}
}

func TestConfigurationNamesWhatIsWrongWithAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nrules: [{id: a/one}, {id: a/two}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"rules": []string{path, "rules.yaml", filepath.Join(t.TempDir(), "none")}, "actions": map[string]string{"x/y": "block", "pii": "explode"},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = new(Guard).Configure(t.Context(), config)
	for _, want := range []string{
		`"/rules/0": line 2: rule "a/one"`, `"/rules/0": line 2: rule "a/two"`, `"/rules/1": give the absolute path`,
		`"/rules/2": the file of rules cannot be read`, `"/actions/x~1y": no rule`, `"/actions/pii": unknown action`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: no %s", err, want)
		}
	}
}

func TestRulesAreListed(t *testing.T) {
	rules, err := Rules()
	if err != nil || len(rules) < 200 {
		t.Fatal(len(rules), err)
	}
	for _, r := range rules {
		if r.ID == "" || r.Title == "" || r.Severity == "" || r.Action == "" || len(r.Phases) == 0 || len(r.OWASP) == 0 {
			t.Errorf("%+v", r)
		}
	}
}

// FuzzUserRules checks that no file of rules makes reading it panic, and that
// what is accepted can be used.
func FuzzUserRules(f *testing.F) {
	f.Add("version: 1\nrules: [{id: a/b, title: t, words: [abc]}]\n")
	f.Add("version: 1\nrules:\n  - {id: a/b, title: t, pattern: 'x(abc)', group: 1, near: {all: [b]}, tests: {hit: [{text: xabc}], miss: [{text: c}]}}\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, file string) {
		rules, problems := readUserRules([]byte(file))
		if len(problems) > 0 || len(file) > 2<<10 {
			return
		}
		e := &engine{rules: rules, instructions: &instructions{}, secrets: &secretFile{}}
		if err := e.build(0); err != nil {
			return
		}
		for i := range e.searcher.probes {
			p := &e.searcher.probes[i]
			p.loose().MatchString(p.regexp().String())
		}
	})
}
