package config

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind says what a node of the file is.
type kind uint8

const (
	nullKind kind = iota
	boolKind
	numberKind
	stringKind
	listKind
	objectKind
)

var kindNames = [...]string{"nothing", "true or false", "a number", "a string", "a list", "an object"}

func (k kind) String() string { return kindNames[k] }

// node is one value of the file. JSON and YAML both become nodes, which keep
// what decoding into Go values loses: the place, the order of members and the
// text of numbers (an environment value 1.10 must not become 1.1).
type node struct {
	kind     kind
	text     string // string: its value; number, bool: as written
	expanded bool   // text holds the value of a variable: never print it
	broken   bool   // a problem is reported already: do not read it
	line     int
	col      int
	path     string // the key, for example relay.scanners[0].mode
	origin   string // instead of the file: the variable or flag it came from
	items    []*node
	members  []member
}

type member struct {
	name  string
	key   *node // the place of the name; its path is that of the value
	value *node
}

// get returns the value of a member, nil when there is none.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].value
		}
	}
	return nil
}

// shown renders a scalar for a message, unless it may hold a secret.
func (n *node) shown() string {
	switch {
	case n.expanded:
		return "(the value of a variable)"
	case n.kind == stringKind:
		return quote(n.text)
	case n.kind == numberKind || n.kind == boolKind:
		return printable(cut(n.text))
	default:
		return n.kind.String()
	}
}

// Limits on a file. They are far above what people write and low enough that
// no file costs more than a moment.
const (
	maxFile  = 1 << 20 // bytes
	maxNodes = 50_000
	maxDepth = 50
)

// setPaths gives every node below n its key path.
func setPaths(n *node, path string) {
	n.path = path
	for i, item := range n.items {
		setPaths(item, path+"["+strconv.Itoa(i)+"]")
	}
	for _, m := range n.members {
		child := joinPath(path, m.name)
		m.key.path = child
		setPaths(m.value, child)
	}
}

func joinPath(path, name string) string {
	if !plainName(name) {
		name = quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func plainName(name string) bool {
	if name == "" || len(name) > maxQuoted {
		return false
	}
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$"
	return strings.Trim(name, plain) == ""
}

// lines finds the line and column of byte offsets.
type lines struct {
	data   []byte
	starts []int
}

func newLines(data []byte) *lines {
	l := &lines{data: data, starts: []int{0}}
	for i, b := range data {
		if b == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// at returns the 1-based line and column of an offset, in characters.
func (l *lines) at(offset int) (line, col int) {
	offset = min(max(offset, 0), len(l.data))
	i, found := slices.BinarySearch(l.starts, offset)
	if !found {
		i--
	}
	return i + 1, utf8.RuneCount(l.data[l.starts[i]:offset]) + 1
}

// builder counts what a parser makes, so that no file gets out of hand.
type builder struct {
	notes *notes
	nodes int
	full  bool
}

// node returns a new node, or nil when the file is too deep or too large.
func (b *builder) node(k kind, line, col, depth int) *node {
	n := &node{kind: k, line: line, col: col}
	b.nodes++
	if b.full {
		return nil
	}
	if depth > maxDepth {
		b.full = true
		b.notes.problem(n, "", "values are nested deeper than %d levels", maxDepth)
		return nil
	}
	if b.nodes > maxNodes {
		b.full = true
		b.notes.problem(n, "", "the file has more than %d values", maxNodes)
		return nil
	}
	return n
}

// add appends a member unless the object has one of that name.
func (b *builder) add(object *node, m member, seen map[string]int) {
	if line, ok := seen[m.name]; ok {
		b.notes.problem(m.key, "remove one of the two", "the key %s is there twice; the first is in line %d", quote(m.name), line)
		return
	}
	seen[m.name] = m.key.line
	object.members = append(object.members, m)
}

// item returns the i-th item of a list, or the list when it has fewer.
func (n *node) item(i int) *node {
	if n == nil {
		return nil
	}
	if i < len(n.items) {
		return n.items[i]
	}
	return n
}
