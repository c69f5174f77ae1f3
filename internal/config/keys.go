package config

import (
	"slices"
	"strings"
)

// field declares one key of an object that becomes a T. The reader, the JSON
// Schema and the reference in the documentation all come from it.
type field[T any] struct {
	name     string
	aliases  []string
	doc      string // one sentence or two, for the schema and the reference
	def      string // the default as a file would write it; "" when there is none
	omitted  string // what holds without it, where that is not a default of its own
	required bool
	value    value[T]
}

// value is the type of a field: how the reference calls it, what the schema
// says about it and how it gets into a T.
type value[T any] struct {
	label  string
	schema map[string]any
	read   func(r *reader, n *node, dst *T)
	nested []reference // the keys below, for the reference
}

// reader turns nodes into values and reports what does not fit.
type reader struct {
	notes *notes
	dir   string // of the configuration file: relative paths start here
	home  string
}

// find returns the field of a name or an alias.
func find[T any](fields []field[T], name string) (field[T], bool) {
	for _, f := range fields {
		if f.name == name || slices.Contains(f.aliases, name) {
			return f, true
		}
	}
	return field[T]{}, false
}

// names lists what a key may be called.
func names[T any](fields []field[T]) []string {
	var list []string
	for _, f := range fields {
		list = append(append(list, f.name), f.aliases...)
	}
	return list
}

// setDefaults gives dst the defaults that the fields declare.
func setDefaults[T any](r *reader, dst *T, fields []field[T]) {
	for _, f := range fields {
		if f.def != "" {
			f.value.read(r, scalarNode(f.def), dst)
		}
	}
}

// readStrict reads an object in which every key must be known.
func readStrict[T any](r *reader, n *node, dst *T, fields []field[T]) {
	if !r.is(n, objectKind) {
		return
	}
	for _, m := range n.members {
		f, ok := find(fields, m.name)
		if !ok {
			known := names(fields)
			r.notes.problem(m.key, didYouMean(m.name, known, "known keys: "+strings.Join(known, ", ")), "unknown key %s", quote(m.name))
			continue
		}
		f.value.read(r, m.value, dst)
	}
	for _, f := range fields {
		if f.required && n.get(f.name) == nil {
			r.notes.problem(n, "add "+f.name, "the key %q is missing", f.name)
		}
	}
}

// readLoose reads an object that clients may have written: a slip of a known
// key is an error, any other key and one without a value are passed over.
func readLoose[T any](r *reader, n *node, dst *T, fields []field[T]) {
	if !r.is(n, objectKind) {
		return
	}
	read := map[string]string{}
	for _, m := range n.members {
		f, ok := find(fields, m.name)
		near := nearest(m.name, names(fields))
		switch {
		case ok && read[f.name] != "":
			r.notes.problem(m.key, "remove one of the two", "%s says the same as %s", m.name, read[f.name])
		case ok && m.value.kind != nullKind:
			read[f.name] = m.name
			f.value.read(r, m.value, dst)
		case !ok && near != "":
			r.notes.problem(m.key, "did you mean "+near+"?", "unknown key %s", quote(m.name))
		case !ok && m.name != "enabled":
			r.notes.warn(m.key, "", "this key is not read")
		}
	}
}

// is reports whether n is of a kind, and complains when it is not. A node that
// is broken has been reported before and is nothing at all.
func (r *reader) is(n *node, want kind) bool {
	if n.broken {
		return false
	}
	if n.kind != want {
		r.notes.problem(n, "", "this must be %s, not %s", want, n.kind)
		return false
	}
	return true
}

// scalarNode makes a node of text that does not come from the file.
func scalarNode(text string) *node {
	n := &node{kind: stringKind, text: text}
	switch {
	case text == "true" || text == "false":
		n.kind = boolKind
	case isInteger(text):
		n.kind = numberKind
	}
	return n
}

func isInteger(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
