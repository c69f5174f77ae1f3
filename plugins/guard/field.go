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
	roleReadOnly   // name and description of a tool that says it changes nothing
	roleIdentifier // ids, names of branches, tables and users, numbers, dates
	roleQuery      // what is searched for, in words or a search language
	roleFilter     // conditions and orders, which are parts of statements
	rolePattern    // expressions and texts that code is searched for or replaced with
	roleTemplate
	roleExpression // what a calculator is given
	roleCount
)

var roleNames = [roleCount]string{
	"text", "name", "description", "schema", "path", "command", "sql", "url", "host", "code", "body", "argument", "read_only",
	"identifier", "query", "filter", "pattern", "template", "expression",
}

// roleSet is a set of roles; the empty set stands for all of them.
type roleSet uint32

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

// roleOf infers the role of a string from its place. For an argument, see
// argumentRole.
func roleOf(phase scanner.Phase, pointer, text string) role {
	switch phase {
	case scanner.PhaseDefinition:
		switch strings.ToLower(memberName(pointer)) {
		case "name", "title":
			return roleName
		case "description", "instructions":
			return roleDescription
		default:
			return roleSchema
		}
	case scanner.PhaseRequest:
		return argumentRole("", memberName(pointer), text)
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

// fixedString reports whether a string of a schema is one that nobody reads as
// prose: values, patterns, formats and remarks.
func fixedString(pointer string) bool {
	switch memberName(pointer) {
	case "enum", "const", "pattern", "format", "$comment", "enumDescriptions", "required", "title":
		return true
	default:
		return false
	}
}
