package guard

import (
	"fmt"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// role says what a string of the content is for. It decides which rules read
// it: what attacks a file name is ordinary in a shell script.
type role uint8

const (
	roleText        role = iota // what a model or a person reads
	roleName                    // names of tools, prompts, parameters, members
	roleDescription             // what a definition says about itself
	roleSchema                  // other strings of a definition
	rolePath
	roleCommand
	roleSQL
	roleURL
	roleHost
	roleCode
	roleBody // prose that a request carries
	roleArgument
	roleReadOnly // name and description of a tool that says it changes nothing
	roleCount
)

var roleNames = [roleCount]string{
	"text", "name", "description", "schema", "path", "command", "sql", "url", "host", "code", "body", "argument", "read_only",
}

// roleSet is a set of roles; the empty set stands for all of them.
type roleSet uint16

func (s roleSet) has(r role) bool { return s == 0 || s&(1<<r) != 0 }

func parseRoles(names []string) (roleSet, error) {
	var set roleSet
	for _, n := range names {
		r, err := parseRole(n)
		if err != nil {
			return 0, err
		}
		set |= 1 << r
	}
	return set, nil
}

func parseRole(name string) (role, error) {
	for r, n := range roleNames {
		if n == name {
			return role(r), nil
		}
	}
	return 0, fmt.Errorf("unknown role %q", name)
}

// field is one string of the content.
type field struct {
	pointer string
	text    string
	role    role
	key     bool // the name of a member, which cannot be redacted
}

// roleOf infers the role of a string from its place and, for an argument, from
// the parameter's name.
func roleOf(phase scanner.Phase, pointer, text string) role {
	name := strings.ToLower(memberName(pointer))
	switch phase {
	case scanner.PhaseDefinition:
		switch name {
		case "name", "title":
			return roleName
		case "description", "instructions":
			return roleDescription
		default:
			return roleSchema
		}
	case scanner.PhaseRequest:
		return argumentRole(name, text)
	default:
		return roleText
	}
}

// memberName returns the last name in a JSON Pointer that is not an index.
func memberName(pointer string) string {
	for pointer != "" {
		i := strings.LastIndexByte(pointer, '/')
		name := pointer[i+1:]
		if strings.Trim(name, "0123456789") != "" {
			return name
		}
		pointer = pointer[:max(i, 0)]
	}
	return ""
}

// describesParameter reports whether a string of a definition is about one
// parameter: what it asks for goes there.
func describesParameter(pointer string) bool {
	return strings.Contains(pointer, "/properties/") || strings.Contains(pointer, "/arguments/")
}

// argumentWords maps words in the names of parameters to roles. The first
// word that a name contains decides.
var argumentWords = [...]struct {
	word string
	role role
}{
	{"url", roleURL},
	{"uri", roleURL},
	{"webhook", roleURL},
	{"endpoint", roleURL},
	{"command", roleCommand},
	{"cmd", roleCommand},
	{"shell", roleCommand},
	{"script", roleCode},
	{"code", roleCode},
	{"html", roleCode},
	{"expression", roleCode},
	{"template", roleCode},
	{"source_text", roleCode},
	{"sql", roleSQL},
	{"statement", roleSQL},
	{"content", roleBody},
	{"text", roleBody},
	{"body", roleBody},
	{"message", roleBody},
	{"description", roleBody},
	{"comment", roleBody},
	{"prompt", roleBody},
	{"note", roleBody},
	{"summary", roleBody},
	{"markdown", roleBody},
	{"observation", roleBody},
	{"path", rolePath},
	{"file", rolePath},
	{"dir", rolePath},
	{"folder", rolePath},
	{"destination", rolePath},
	{"host", roleHost},
	{"domain", roleHost},
	{"address", roleHost},
	{"server", roleHost},
}

// longArgument is the length from which an unnamed argument is prose, in bytes.
const longArgument = 400

func argumentRole(name, text string) role {
	if startsSQL(text) {
		return roleSQL
	}
	if name == "ip" {
		return roleHost
	}
	for _, a := range argumentWords {
		if strings.Contains(name, a.word) {
			return a.role
		}
	}
	if len(text) > longArgument || strings.Count(text, "\n") > 1 {
		return roleBody
	}
	return roleArgument
}

// startsSQL reports whether text is a statement rather than part of one.
func startsSQL(text string) bool {
	verb, _, _ := strings.Cut(strings.TrimSpace(text[:min(len(text), 40)]), " ")
	switch strings.ToLower(verb) {
	case "select", "with", "insert", "update", "delete", "create", "alter", "drop", "explain", "show", "describe", "pragma":
		return true
	default:
		return false
	}
}
