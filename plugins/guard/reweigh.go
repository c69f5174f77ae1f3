package guard

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// maxRuleFiles is how many files of rules a configuration can name.
const maxRuleFiles = 32

// load reads the files of rules and returns the engine that has them, e when
// there are none.
func (s *settings) load(files []string, e *engine) (*engine, scanner.Problems) {
	var (
		problems scanner.Problems
		rules    []rule
	)
	if len(files) == 0 {
		return e, nil
	}
	if len(files) > maxRuleFiles {
		return e, scanner.Problems{{Pointer: "/rules", Message: fmt.Sprintf("name up to %d files", maxRuleFiles)}}
	}
	seen := map[string]bool{}
	for i, name := range files {
		pointer := fmt.Sprintf("/rules/%d", i)
		data, err := readRules(name)
		if err != nil {
			problems = append(problems, scanner.Problem{Pointer: pointer, Message: err.Error()})
			continue
		}
		own, wrong := readUserRules(data)
		for _, p := range wrong {
			problems = append(problems, scanner.Problem{Pointer: pointer, Message: p.String()})
		}
		for j := range own {
			if seen[own[j].ID] {
				message := fmt.Sprintf("the id %q is used in another file: give each rule its own", own[j].ID)
				problems = append(problems, scanner.Problem{Pointer: pointer, Message: message})
			}
			seen[own[j].ID] = true
		}
		rules = append(rules, own...)
	}
	if len(problems) > 0 {
		return e, problems
	}
	own, err := newEngine(rules...)
	if err != nil {
		return e, scanner.Problems{{Pointer: "/rules", Message: err.Error() + ": give fewer rules or words"}}
	}
	s.engine = own
	return own, nil
}

var errRelative = errors.New("give the absolute path of a file, or one that begins with ./ and is relative to the relay's configuration")

// withoutPath returns what is wrong with a file, without its name.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// readRules reads a file, or as much of it as shows that it is too large.
func readRules(name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		return nil, errRelative
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the file of rules cannot be read: %w", withoutPath(err))
	}
	defer f.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxRuleFile+1))
	if err != nil {
		return nil, fmt.Errorf("the file of rules cannot be read: %w", withoutPath(err))
	}
	return data, nil
}

// reweigh takes over the actions that the user wants instead of the rules' own.
func (s *settings) reweigh(actions map[string]string, known names) scanner.Problems {
	var problems scanner.Problems
	s.actions = make(map[string]scanner.Action, len(actions))
	for _, name := range slices.Sorted(maps.Keys(actions)) {
		pointer := "/actions/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		action, err := parseAction(actions[name])
		switch {
		case !known.matches(name):
			problems = append(problems, scanner.Problem{
				Pointer: pointer, Message: "no rule or category has this name: see relay rules list",
			})
		case err != nil:
			problems = append(problems, scanner.Problem{Pointer: pointer, Message: err.Error()})
		default:
			s.actions[name] = action
		}
	}
	return problems
}

// action returns what follows from a finding: what the user says of its rule,
// else of the longest name of its category, else what the rule says.
func (s *settings) action(r *result) scanner.Action {
	if len(s.actions) == 0 {
		return r.action
	}
	for name := r.Category; ; {
		if a, ok := s.actions[r.Rule]; ok {
			return a
		}
		if a, ok := s.actions[name]; ok {
			return a
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			return r.action
		}
		name = name[:i]
	}
}
