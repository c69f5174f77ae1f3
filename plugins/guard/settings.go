package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// defaultMaxBytes is how much text of one message is inspected.
const defaultMaxBytes = 8 << 20

// settings is a checked configuration.
type settings struct {
	disabled []string
	enabled  []string // rules that are off by default
	allowed  []exception
	actions  map[string]scanner.Action // by rule or category
	maxBytes int
	engine   *engine // with the user's own rules; nil: that of the process
}

// exception is one kind of finding that the user does not want, in one place.
// Empty members match everything.
type exception struct {
	Rule    string `json:"rule"`
	Server  string `json:"server"`
	Target  string `json:"target"`
	Pointer string `json:"pointer"` // a trailing * matches the rest
}

// parseSettings reads a configuration, and the files of rules that it names, and
// reports everything wrong with them.
func parseSettings(config []byte, e *engine) (*settings, error) {
	var raw struct {
		Rules    []string          `json:"rules"`
		Disable  []string          `json:"disable"`
		Enable   []string          `json:"enable"`
		Actions  map[string]string `json:"actions"`
		Allow    []exception       `json:"allow"`
		MaxBytes *int              `json:"max_bytes"`
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.DisallowUnknownFields()
	if err := d.Decode(&raw); err != nil {
		return nil, scanner.Problems{{Message: "not a configuration of guard: use rules, disable, enable, actions, allow and max_bytes"}}
	}
	s := &settings{disabled: raw.Disable, enabled: raw.Enable, allowed: raw.Allow, maxBytes: defaultMaxBytes}
	e, problems := s.load(raw.Rules, e)
	known := e.names()
	for _, list := range []struct {
		member string
		names  []string
	}{{"disable", raw.Disable}, {"enable", raw.Enable}} {
		for i, name := range list.names {
			if !known.matches(name) {
				problems = append(problems, scanner.Problem{
					Pointer: fmt.Sprintf("/%s/%d", list.member, i),
					Message: "no rule or category has this name: see the list of rules in the documentation",
				})
			}
		}
	}
	for i, a := range raw.Allow {
		if !known.matches(a.Rule) {
			problems = append(problems, scanner.Problem{
				Pointer: fmt.Sprintf("/allow/%d/rule", i),
				Message: "no rule or category has this name: an exception needs one",
			})
		}
	}
	problems = append(problems, s.reweigh(raw.Actions, known)...)
	if raw.MaxBytes != nil {
		s.maxBytes = *raw.MaxBytes
		if s.maxBytes < 1 {
			problems = append(problems, scanner.Problem{Pointer: "/max_bytes", Message: "use a number above 0"})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// names are the ids of rules and their categories.
type names []string

func (e *engine) names() names {
	n := names{instructionRule}
	for _, r := range e.rules {
		n = append(n, r.ID, r.Category)
	}
	for _, g := range e.instructions.Groups {
		n = append(n, instructionCategory+g.Name)
	}
	for _, r := range e.secrets.Rules {
		n = append(n, r.name, r.category)
	}
	return n
}

// matches reports whether word names a rule, a category or the beginning of
// categories.
func (n names) matches(word string) bool {
	for _, name := range n {
		if named(word, name, name) {
			return true
		}
	}
	return false
}

// named reports whether word is the rule or the category, or what the
// category's name begins with, up to a dot.
func named(word, rule, category string) bool {
	return word != "" && (word == rule || word == category || strings.HasPrefix(category, word+"."))
}

// suppressed reports whether the user does not want f in content from o.
func (s *settings) suppressed(f *scanner.Finding, o scanner.Origin) bool {
	for _, d := range s.disabled {
		if named(d, f.Rule, f.Category) {
			return true
		}
	}
	for _, a := range s.allowed {
		if named(a.Rule, f.Rule, f.Category) && (a.Server == "" || a.Server == o.Server) &&
			(a.Target == "" || a.Target == o.Target) && matchPointer(a.Pointer, f.Location.Pointer) {
			return true
		}
	}
	return false
}

// wants reports whether r is on. Secret rules and features, which have no rule,
// always are.
func (s *settings) wants(r *rule) bool {
	return r == nil || !r.Off || slices.ContainsFunc(s.enabled, func(name string) bool { return named(name, r.ID, r.Category) })
}

func matchPointer(pattern, pointer string) bool {
	if head, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(pointer, head)
	}
	return pattern == "" || pattern == pointer
}
