package config

import (
	"encoding/json"
	"strconv"
	"strings"
)

// object is a field that holds an object with keys of its own.
func object[T, U any](fields []field[U], at func(*T) *U) value[T] {
	return value[T]{
		label:  "object",
		schema: strictSchema(fields),
		nested: references(fields),
		read: func(r *reader, n *node, dst *T) {
			readStrict(r, n, at(dst), fields)
		},
	}
}

// list is a field that holds a list of objects with keys of their own.
func list[T, U any](fields []field[U], at func(*T) *[]U) value[T] {
	return value[T]{
		label:  "list of objects",
		schema: map[string]any{"type": "array", "items": strictSchema(fields)},
		nested: references(fields),
		read: func(r *reader, n *node, dst *T) {
			if !r.is(n, listKind) {
				return
			}
			*at(dst) = []U{}
			for _, item := range n.items {
				var u U
				setDefaults(r, &u, fields)
				readStrict(r, item, &u, fields)
				*at(dst) = append(*at(dst), u)
			}
		},
	}
}

// raw is a field whose object the relay passes on without looking into it.
func raw[T any](at func(*T) *json.RawMessage) value[T] {
	return value[T]{
		label:  "object",
		schema: map[string]any{"type": "object"},
		read: func(r *reader, n *node, dst *T) {
			if r.is(n, objectKind) {
				*at(dst) = r.appendJSON(nil, n)
			}
		},
	}
}

// appendJSON renders a tree as JSON. Numbers keep their text.
func (r *reader) appendJSON(out []byte, n *node) []byte {
	if n.broken {
		return append(out, "null"...)
	}
	switch n.kind {
	case boolKind:
		return append(out, strings.ToLower(n.text)...)
	case numberKind:
		return r.appendNumber(out, n)
	case stringKind:
		return appendString(out, n.text)
	case listKind:
		out = append(out, '[')
		for i, item := range n.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = r.appendJSON(out, item)
		}
		return append(out, ']')
	case objectKind:
		out = append(out, '{')
		for i, m := range n.members {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendString(out, m.name), ':')
			out = r.appendJSON(out, m.value)
		}
		return append(out, '}')
	default:
		return append(out, "null"...)
	}
}

// appendNumber renders a number that YAML may write in a way JSON does not.
func (r *reader) appendNumber(out []byte, n *node) []byte {
	if json.Valid([]byte(n.text)) {
		return append(out, n.text...)
	}
	if i, err := strconv.ParseInt(n.text, 0, 64); err == nil {
		return strconv.AppendInt(out, i, 10)
	}
	if f, err := strconv.ParseFloat(n.text, 64); err == nil {
		if text, err := json.Marshal(f); err == nil {
			return append(out, text...)
		}
	}
	r.notes.problem(n, "put it in quotes when it is meant as text", "this number has no meaning in JSON")
	return append(out, '0')
}

func appendString(out []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return append(out, `""`...)
	}
	return append(out, quoted...)
}
