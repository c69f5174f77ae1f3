package guard

import (
	"slices"
	"strings"

	"github.com/mcp-relay/relay/plugins/guard/argument"
	"github.com/mcp-relay/relay/scanner"
)

// argumentsPrefix begins the pointers to the arguments of a call.
const argumentsPrefix = "/arguments/"

// longRoles are the roles of arguments that are texts of their own: documents,
// programs, statements. What attacks a value is ordinary in them.
const longRoles = roleSet(1<<roleBody | 1<<roleCode | 1<<roleSQL | 1<<roleText | 1<<roleName)

// proseRoles are the roles of values that can as well be what a person writes.
const proseRoles = roleSet(1<<roleArgument | 1<<roleQuery | 1<<roleIdentifier | 1<<rolePath | 1<<roleHost | 1<<roleTemplate | 1<<roleFilter)

// talkWords is how many words of a language make talk of a value.
const talkWords = 4

// talk reports whether a value has so many words for people that what looks like
// an attack in it can be talk of one, or chance. It takes more to block it.
func talk(text string) bool {
	n := 0
	for w := range strings.FieldsSeq(text) {
		if w = strings.Trim(w, ".,:;!?()&\"'"); len(w) > 2 && !spokenByMachines(strings.ToLower(w)) &&
			strings.Trim(strings.ToLower(w[1:]), "abcdefghijklmnopqrstuvwxyz'-") == "" && asciiLetter(w[0]) {
			n++
		}
	}
	return n >= talkWords
}

// readsValuesOnly reports whether r reads nothing but short arguments.
func (r *rule) readsValuesOnly() bool {
	for p, a := range r.actions {
		if a != scanner.ActionUnspecified && scanner.Phase(p) != scanner.PhaseRequest {
			return false
		}
	}
	return r.roles != 0 && r.roles&longRoles == 0
}

// call is what is known about the request that a scan reads.
type call struct {
	tool  string
	lines []commandLine
}

// commandLine is a command whose words were given one by one.
type commandLine struct {
	field
	object string // where its words are
	words  int
}

// call returns what c asks for; nil unless it is a request.
func (s *scan) call(c *scanner.Content) *call {
	if s.phase != scanner.PhaseRequest {
		return nil
	}
	for pointer, text := range c.Strings() {
		if pointer == "/name" {
			return &call{tool: text}
		}
	}
	return &call{tool: s.origin.Target}
}

// placed returns a string of the content with its role.
func (c *call) placed(phase scanner.Phase, pointer, text string) field {
	f := field{pointer: pointer, text: text}
	if c == nil || !c.argument(&f) {
		f.role = roleOf(phase, pointer, text)
	}
	return f
}

// argument gives f the role that the call gives it, and collects the words of
// commands that are given one by one. It reports whether f is an argument.
func (c *call) argument(f *field) bool {
	rest, ok := strings.CutPrefix(f.pointer, argumentsPrefix)
	if !ok {
		f.role = roleName
		return f.pointer == "/name"
	}
	f.role = argumentRole(c.tool, memberName("/"+rest), f.text)
	if f.role == roleCommand || f.role == roleCode {
		c.word(f)
	}
	return true
}

// word adds f to the command that its neighbours belong to.
func (c *call) word(f *field) {
	// {"program": "sh", "args": ["-c", …]} and {"command": ["sh", "-c", …]}.
	object := f.pointer[:strings.LastIndexByte(f.pointer, '/')]
	if memberName(object) != "arguments" && isIndexed(f.pointer) {
		object = object[:strings.LastIndexByte(object, '/')]
	}
	if n := len(c.lines); n > 0 && c.lines[n-1].object == object {
		l := &c.lines[n-1]
		l.words++
		if len(l.text) < maxValue {
			l.text += " " + f.text
		}
		return
	}
	c.lines = append(c.lines, commandLine{
		field: field{pointer: f.pointer, text: f.text, role: roleCommand, key: true}, object: object, words: 1,
	})
}

// isIndexed reports whether pointer ends in the index of an array.
func isIndexed(pointer string) bool {
	return strings.Trim(pointer[strings.LastIndexByte(pointer, '/')+1:], "0123456789") == ""
}

// commandLines looks at commands whose words were given one by one, for what
// they do: secrets were found, and cut out, in the words.
func (s *scan) commandLines(c *call) {
	if c == nil {
		return
	}
	for i := range c.lines {
		l := &c.lines[i]
		if l.words == 1 {
			continue
		}
		known := len(s.found)
		s.look(l.field, 0, &view{text: l.text, via: "words read together"}, asFolded)
		s.found = slices.DeleteFunc(s.found, func(r result) bool {
			known--
			return known < 0 && !strings.HasPrefix(r.Category, "command_injection.") && !strings.HasPrefix(r.Category, "exfiltration.") &&
				!strings.HasPrefix(r.Category, "path_traversal.")
		})
	}
}

// maxValue is the length up to which an argument is taken for a value.
const maxValue = 4 << 10

// value looks at what one argument says to the programs behind a tool.
func (s *scan) value(f field, text string, base int) {
	if f.role == roleName && strings.HasSuffix(text, "]") && strings.Contains(text, "[$") {
		s.sighted(f, sighting{detector: "operator_object", at: span{0, len(text)}}, base)
	}
	if longRoles&(1<<f.role) != 0 || len(text) > maxValue {
		return
	}
	all := span{0, len(text)}
	saw := func(detector string, at span) { s.sighted(f, sighting{detector: detector, at: at}, base) }
	if f.role == roleHost {
		if at, odd := argument.OddHost(text); odd {
			saw("odd_host", span{at, len(text)})
		}
	}
	if f.role == roleIdentifier && argument.OddIdentifier(argument.Decode(text)) {
		saw("odd_identifier", all)
	}
	switch argument.Traversal(text) {
	case argument.Climbs:
		saw("climbing_path", all)
	case argument.Encoded:
		saw("encoded_path", all)
	case argument.Stays:
	}
	s.addressed(f, text, base)
	if plain := argument.Plain(text); plain != text {
		s.look(f, base, &view{text: plain, via: "spelling undone", whole: &all}, asFolded)
	}
}

// addressed looks at the addresses in one argument.
func (s *scan) addressed(f field, text string, base int) {
	saw := func(detector string, at span) { s.sighted(f, sighting{detector: detector, at: at}, base) }
	for _, at := range addresses(f.role, text) {
		switch argument.Address(text[at.start:at.end]) {
		case argument.Metadata:
			saw("metadata_address", at)
		case argument.Disguised:
			saw("disguised_address", at)
		case argument.Internal:
			saw("internal_address", at)
		case argument.Local:
			if calledBack(memberName(f.pointer)) {
				saw("internal_address", at)
			}
		case argument.Outside:
		}
	}
}

// calledBack reports whether a parameter's name asks for an address that a
// server calls by itself, which is never one of its own network.
func calledBack(name string) bool {
	for _, w := range nameWords(name) {
		switch w {
		case "webhook", "callback", "avatar", "image", "notify", "notification", "hook":
			return true
		}
	}
	return false
}

// maxAddresses is how many addresses of one value are looked at.
const maxAddresses = 8

// addresses returns where text has addresses: all of it, and what begins with a
// scheme inside it.
func addresses(r role, text string) []span {
	var found []span
	if r == roleURL || r == roleHost || r == roleArgument {
		found = append(found, span{0, len(text)})
	}
	lower := strings.ToLower(text)
	for from := 0; len(found) < maxAddresses; {
		i := strings.Index(lower[from:], "http")
		if i < 0 || len(lower) != len(text) {
			break
		}
		start := from + i
		end := start + len("http")
		for end < len(text) && !strings.ContainsRune(" \t\n\"'<>`)&,;", rune(text[end])) {
			end++
		}
		if start > 0 || end < len(text) {
			found = append(found, span{start, end})
		}
		from = start + len("http")
	}
	return found
}

// member looks at the name of a member of an argument: operators of databases
// where a plain value belongs.
func (s *scan) member(pointer, name string) {
	rest, ok := strings.CutPrefix(pointer, argumentsPrefix)
	if !ok || s.phase != scanner.PhaseRequest {
		return
	}
	f := field{pointer: pointer, text: name, role: roleName, key: true}
	all := span{0, len(name)}
	parent, _, nested := strings.Cut(rest, "/")
	if !nested || !strings.HasPrefix(name, "$") || strings.Count(rest, "/") != 1 || !scalarName(parent) {
		return
	}
	if r, known := parameterRole(parent); !known || r == roleIdentifier {
		s.sighted(f, sighting{detector: "operator_object", at: all}, 0)
	}
}

// scalarName reports whether a parameter's name asks for one value rather than
// for a document or a condition.
func scalarName(name string) bool {
	for _, w := range nameWords(name) {
		switch w {
		case "id", "user", "username", "login", "email", "password", "passwd", "pass", "token", "name", "pin",
			"otp", "code", "uid", "account":
			return true
		}
	}
	return false
}
