package config

import (
	"fmt"
	"slices"
	"strings"
)

// variables replaces ${NAME} in the strings of the file. Values come from the
// environment; where a place allows it, also from the .env file.
type variables struct {
	environ func(string) (string, bool)
	home    string
	dotenv  func() *dotenv // read when a variable is not in the environment
	notes   *notes
}

// expandTree expands every string below n, once. Names of members are left.
func (v *variables) expandTree(n *node, useDotenv bool) {
	if n == nil {
		return
	}
	if n.kind == stringKind && strings.Contains(n.text, "${") {
		v.expand(n, useDotenv)
	}
	for _, item := range n.items {
		v.expandTree(item, useDotenv)
	}
	for _, m := range n.members {
		v.expandTree(m.value, useDotenv)
	}
}

// expand replaces ${NAME}, ${NAME:-default} and ${env:NAME} in one string.
// $${ stands for a literal ${. A value is not expanded again, so a variable
// cannot smuggle in a reference to another one.
func (v *variables) expand(n *node, useDotenv bool) {
	n.broken = true // until it is done
	var b strings.Builder
	rest := n.text
	for {
		i := strings.Index(rest, "${")
		if i < 0 {
			break
		}
		if i > 0 && rest[i-1] == '$' {
			b.WriteString(rest[:i-1] + "${")
			rest = rest[i+2:]
			continue
		}
		end := strings.IndexByte(rest[i:], '}')
		if end < 0 {
			v.notes.problem(n, "write ${NAME}, or $${ for a literal ${", "a ${ is not closed")
			return
		}
		value, ok := v.reference(n, rest[i+2:i+end], useDotenv)
		if !ok {
			return
		}
		b.WriteString(rest[:i] + value)
		rest = rest[i+end+1:]
		n.expanded = true
	}
	n.text, n.broken = b.String()+rest, false
}

// reference returns what one ${...} stands for.
func (v *variables) reference(n *node, ref string, useDotenv bool) (string, bool) {
	name, fallback, hasFallback := strings.Cut(ref, ":-")
	if scheme, rest, ok := strings.Cut(name, ":"); ok {
		if scheme != "env" {
			v.notes.problem(n, "set an environment variable and write ${NAME}",
				"${%s:...} is not supported", printable(cut(scheme)))
			return "", false
		}
		name = rest
	}
	if !variableName().MatchString(name) {
		v.notes.problem(n, "write ${NAME} or ${NAME:-default}, or $${ for a literal ${",
			"%s is not the name of a variable", quote(name))
		return "", false
	}
	value, ok := v.lookup(name, useDotenv)
	switch {
	case ok && (value != "" || !hasFallback):
		return value, true
	case hasFallback:
		return fallback, true
	default:
		v.notes.problem(n, v.unsetHint(name, useDotenv), "the variable %s is not set", name)
		return "", false
	}
}

func (v *variables) lookup(name string, useDotenv bool) (string, bool) {
	if value, ok := v.environ(name); ok {
		return value, true
	}
	if useDotenv {
		if value, ok := v.dotenv().values[name]; ok {
			return value, true
		}
	}
	if (name == "userHome" || name == "HOME") && v.home != "" {
		return v.home, true
	}
	return "", false
}

func (v *variables) unsetHint(name string, useDotenv bool) string {
	file := v.dotenv()
	_, inFile := file.values[name]
	switch {
	case slices.Contains(file.denied, name):
		return fmt.Sprintf("set %s in the environment of the relay; a .env file may not set it", name)
	case inFile && !useDotenv:
		return fmt.Sprintf("set %s in the environment of the relay; "+
			".env serves only command, args, env, cwd, url, headers and oauth of servers", name)
	default:
		return fmt.Sprintf("set %s where the relay is started, or write ${%s:-default}", name, name)
	}
}

// cut shortens a foreign string that is not quoted.
func cut(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted]
	}
	return s
}
