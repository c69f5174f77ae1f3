package guard

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/mcp-relay/relay/scanner"
)

//go:embed rules/*.yaml rules/instruction/*.yaml rules/phrase/*.yaml rules/saying/*.yaml
var ruleFiles embed.FS

// Where the embedded files are: rules, and what the instruction score is made
// of.
const (
	rulesDir       = "rules"
	instructionDir = "rules/instruction"
)

// rule says what one kind of finding looks like and what follows from it.
// docs/guard.md documents the format.
type rule struct {
	ID         string            `yaml:"id"`
	Title      string            `yaml:"title"`
	Explain    string            `yaml:"explain"`
	Category   string            `yaml:"category"`
	OWASP      []string          `yaml:"owasp"` // MCP01 to MCP10, LLM01 to LLM10
	Severity   string            `yaml:"severity"`
	Confidence float64           `yaml:"confidence"`
	Action     string            `yaml:"action"`
	Actions    map[string]string `yaml:"actions"` // by phase, where it differs
	Phases     []string          `yaml:"phases"`  // empty: all
	Roles      []string          `yaml:"roles"`   // empty: all
	// A rule is a builtin detector's, or has a pattern. Keywords are needed only
	// where the pattern has no strings that every match contains.
	Builtin  string    `yaml:"builtin"`
	Keywords []string  `yaml:"keywords"`
	Words    []string  `yaml:"words"` // instead of a pattern: any of them, as a whole word
	Pattern  string    `yaml:"pattern"`
	Group    int       `yaml:"group"`
	Unless   string    `yaml:"unless"` // not when this matches what the pattern matched
	Check    string    `yaml:"check"`  // a named check of the reported text
	Off      bool      `yaml:"off"`    // only where the configuration enables it
	Near     near      `yaml:"near"`   // what must and must not be beside it
	Tests    ruleTests `yaml:"tests"`

	severity scanner.Severity
	actions  [phaseCount]scanner.Action // ActionUnspecified: not in this phase
	roles    roleSet
	unless   func() *regexp.Regexp
	check    func(string) bool
}

// ruleTests are texts that the rule must and must not find.
type ruleTests struct {
	Hit  []ruleTest `yaml:"hit"`
	Miss []ruleTest `yaml:"miss"`
}

// ruleTest is one text, in the rule's first phase and role unless it says.
type ruleTest struct {
	Text  string `yaml:"text"`
	Phase string `yaml:"phase"`
	Role  string `yaml:"role"`
	// Inventory are tools of another server, for the rules that look at them.
	Inventory []string `yaml:"inventory"`
	Beside    string   `yaml:"beside"` // the description of a tool whose name is the text
}

// ruleFile is one file of rules.
type ruleFile struct {
	Version int    `yaml:"version"`
	Rules   []rule `yaml:"rules"`
}

// phaseCount is the number of phases, the zero value included.
const phaseCount = int(scanner.PhaseNotification) + 1

var (
	errBuiltin = errors.New("give the rule a pattern, or words, and not both")
	errAction  = errors.New("unknown action: use allow, flag, redact or block")
)

// loadRules reads the embedded rules.
func loadRules() ([]rule, error) {
	var rules []rule
	err := eachRuleFile(rulesDir, func(name string) error {
		var f ruleFile
		if err := readRuleFile(name, &f); err != nil {
			return err
		}
		rules = append(rules, f.Rules...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range rules {
		if err := rules[i].prepare(); err != nil {
			return nil, fmt.Errorf("rule %q: %w", rules[i].ID, err)
		}
	}
	return rules, nil
}

// eachRuleFile calls read with the path of every embedded file in dir.
func eachRuleFile(dir string, read func(name string) error) error {
	entries, err := ruleFiles.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list the rule files: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if err := read(path.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// readRuleFile reads one embedded file, as it was compiled or, where it has
// changed since, from its YAML. Members that are not known are refused.
func readRuleFile(name string, into any) error {
	data, err := ruleFiles.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	if loadCompiled().file(name, data, into) {
		return nil
	}
	return decodeRules(name, data, into)
}

// decodeRules decodes the YAML of the file of that name.
func decodeRules(name string, data []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// prepare checks the rule's words and turns them into what scanning needs.
func (r *rule) prepare() error {
	if len(r.Words) > 0 {
		if r.Pattern != "" {
			return errBuiltin
		}
		r.Pattern = wordPattern(r.Words)
	}
	if (r.Builtin == "") == (r.Pattern == "") {
		return errBuiltin
	}
	var err error
	if r.severity, err = parseSeverity(r.Severity); err != nil {
		return err
	}
	if r.roles, err = parseRoles(r.Roles); err != nil {
		return err
	}
	if err = r.prepareActions(); err != nil {
		return err
	}
	if r.Unless != "" {
		r.unless = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.Unless) })
	}
	r.Near.prepare()
	if r.Check != "" {
		if r.check = checks(r.Check); r.check == nil {
			return fmt.Errorf("unknown check %q", r.Check)
		}
	}
	return nil
}

func (r *rule) prepareActions() error {
	action, err := parseAction(r.Action)
	if err != nil {
		return err
	}
	for p := scanner.PhaseDefinition; int(p) < phaseCount; p++ {
		if len(r.Phases) == 0 || contains(r.Phases, p.String()) {
			r.actions[p] = action
		}
	}
	for name, word := range r.Actions {
		p, err := parsePhase(name)
		if err != nil {
			return err
		}
		if r.actions[p], err = parseAction(word); err != nil {
			return err
		}
	}
	return nil
}

// accepts reports whether what the pattern found in text, at the place at of the
// match, counts.
func (r *rule) accepts(text string, match, at span, b *budget) bool {
	if r.unless != nil && r.unless().MatchString(text[match.start:match.end]) {
		return false
	}
	return (r.check == nil || r.check(text[at.start:at.end])) && r.Near.holds(text, match, b)
}

// message is what the people who run the relay read.
func (r *rule) message(via string) string {
	if via == "" {
		return r.Title + ". " + r.Explain
	}
	return r.Title + " (" + via + "). " + r.Explain
}

func parsePhase(name string) (scanner.Phase, error) {
	for p := scanner.PhaseDefinition; int(p) < phaseCount; p++ {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("unknown phase %q", name)
}

func parseSeverity(name string) (scanner.Severity, error) {
	for s := scanner.SeverityInfo; s <= scanner.SeverityCritical; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q", name)
}

func parseAction(name string) (scanner.Action, error) {
	for a := scanner.ActionAllow; a <= scanner.ActionBlock; a++ {
		if a.String() == name {
			return a, nil
		}
	}
	return 0, errAction
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
