package guard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Limits of a user's rules.
const (
	maxRuleFile    = 256 << 10 // bytes
	maxRules       = 500       // in a file
	maxWords       = 1000      // in a rule
	maxPattern     = 4 << 10   // bytes
	maxRuleWord    = 100       // bytes
	minConfidence  = 0.01
	userConfidence = 0.8
	userSeverity   = "medium"
	userCategory   = "custom.rule"
)

// RuleProblem is one thing that is wrong with a file of rules.
type RuleProblem struct {
	Line    int    `json:"line"` // in the file; 0: the file as a whole
	Rule    string `json:"rule"` // the id, when it has one
	Message string `json:"message"`
}

// String returns the problem in one line.
func (p RuleProblem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", p.Rule)
	}
	b.WriteString(p.Message)
	return b.String()
}

// ruleReader reads a user's file and collects all that is wrong with it.
type ruleReader struct {
	file     ruleFile
	lines    []*yaml.Node // of the rules
	problems []RuleProblem
}

// readUserRules reads a file of rules that is no part of the program. With a
// problem, no rule is returned.
func readUserRules(data []byte) ([]rule, []RuleProblem) {
	r := &ruleReader{}
	if len(data) > maxRuleFile {
		r.problem(0, "", "the file has more than %d KiB: split it", maxRuleFile>>10)
		return nil, r.problems
	}
	if r.decode(data); len(r.problems) > 0 {
		return nil, r.problems
	}
	if r.file.Version != 1 {
		r.problem(1, "", "write version: 1")
	}
	if n := len(r.file.Rules); n == 0 || n > maxRules {
		r.problem(0, "", "give 1 to %d rules under the key rules", maxRules)
		return nil, r.problems
	}
	seen := map[string]bool{}
	for i := range r.file.Rules {
		r.rule(i, seen)
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.file.Rules, nil
}

func (r *ruleReader) problem(line int, id, format string, args ...any) {
	r.problems = append(r.problems, RuleProblem{Line: line, Rule: id, Message: fmt.Sprintf(format, args...)})
}

// decode reads the YAML: all members of wrong kinds or names at once.
func (r *ruleReader) decode(data []byte) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(&r.file)
	switch wrong := (*yaml.TypeError)(nil); {
	case errors.Is(err, io.EOF):
		r.problem(0, "", "the file is empty: write version: 1 and rules")
	case errors.As(err, &wrong):
		for _, line := range wrong.Errors {
			r.problems = append(r.problems, typeProblem(line))
		}
	case err != nil:
		r.problems = append(r.problems, typeProblem(strings.TrimPrefix(err.Error(), "yaml: ")))
	default:
		var root yaml.Node
		if yaml.Unmarshal(data, &root) == nil && len(root.Content) == 1 {
			if list := member(root.Content[0], "rules"); list != nil {
				r.lines = list.Content
			}
		}
	}
}

var (
	typeLine     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): (.*)$`) })
	unknownField = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^field (.*) not found in type .*$`) })
	wrongKind    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^cannot unmarshal .* into (\S+)$`) })
)

// typeProblem says what the YAML library says, without the names of Go's types.
func typeProblem(line string) RuleProblem {
	p := RuleProblem{Message: line}
	if m := typeLine().FindStringSubmatch(line); m != nil {
		_, _ = fmt.Sscan(m[1], &p.Line) // it is digits
		p.Message = m[2]
	}
	if m := unknownField().FindStringSubmatch(p.Message); m != nil {
		p.Message = fmt.Sprintf("there is no key %q here: see docs/guard.md for those that there are", m[1])
	} else if m := wrongKind().FindStringSubmatch(p.Message); m != nil {
		p.Message = "write " + kindName(m[1]) + " here"
	}
	return p
}

func kindName(typ string) string {
	switch {
	case strings.HasPrefix(typ, "[]"):
		return "a list"
	case strings.HasPrefix(typ, "int"), strings.HasPrefix(typ, "float"):
		return "a number"
	case typ == "string":
		return "a text"
	default:
		return "keys with values"
	}
}

// member returns the value of a key of a mapping.
func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// line returns the line of a key of a rule, or where the rule begins.
func (r *ruleReader) line(i int, key string) int {
	if i >= len(r.lines) {
		return 0
	}
	if n := member(r.lines[i], key); n != nil {
		return n.Line
	}
	return r.lines[i].Line
}

var (
	userID = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}/[a-z0-9][a-z0-9_-]{0,80}$`)
	})
	categoryForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_]{1,40}\.[a-z0-9_]{1,40}$`) })
	owaspForm    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:MCP|LLM)(?:0[1-9]|10)$`) })
)

// rule checks one rule and fills in what it leaves out.
func (r *ruleReader) rule(i int, seen map[string]bool) {
	u := &r.file.Rules[i]
	bad := func(key, format string, args ...any) { r.problem(r.line(i, key), u.ID, format, args...) }
	switch {
	case !userID().MatchString(u.ID):
		bad("id", "write an id such as acme/code-name: small letters, digits, - and _, with one slash")
	case strings.HasPrefix(u.ID, "guard/"), strings.HasPrefix(u.ID, secretPrefix):
		bad("id", "ids that begin with guard/ and gitleaks/ are those of the program: begin with a name of your own")
	case seen[u.ID]:
		bad("id", "the id is used twice in the file")
	}
	seen[u.ID] = true
	u.complete()
	if u.Title == "" || len(u.Title) > 200 || len(u.Explain) > 1000 {
		bad("title", "give a title of up to 200 bytes, and an explanation of up to 1000")
	}
	if !categoryForm().MatchString(u.Category) {
		bad("category", "write a category such as custom.code_name")
	}
	if u.Confidence < minConfidence || u.Confidence > 1 {
		bad("confidence", "use a number from %v to 1", minConfidence)
	}
	if slices.ContainsFunc(u.OWASP, func(id string) bool { return !owaspForm().MatchString(id) }) {
		bad("owasp", "use MCP01 to MCP10 and LLM01 to LLM10")
	}
	if u.Builtin != "" {
		bad("builtin", "remove it: only rules of the program have one")
	}
	for _, name := range u.Phases {
		if _, err := parsePhase(name); err != nil {
			bad("phases", "%v: use definition, request, response, server_request, notification", err)
		}
	}
	words := u.Words
	if err := u.prepare(); err != nil {
		bad("pattern", "%v", err)
		return
	}
	r.expressions(u, words, bad)
	if len(words) == 0 && (len(u.Tests.Hit) == 0 || len(u.Tests.Miss) == 0) {
		bad("tests", "give at least one text under tests.hit that the rule finds, and one under tests.miss that it does not")
	}
}

// complete fills in what users may leave out.
func (r *rule) complete() {
	if r.Severity == "" {
		r.Severity = userSeverity
	}
	if r.Confidence == 0 {
		r.Confidence = userConfidence
	}
	if r.Category == "" {
		r.Category = userCategory
	}
	if r.Action == "" {
		r.Action = "flag"
	}
}
