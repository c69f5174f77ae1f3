package config

import (
	"github.com/goccy/go-yaml/ast"
)

// value turns a syntax node into ours; nil when a limit is hit or after a
// problem. An alias is copied each time it is used, so the limit on nodes
// bounds what a few lines of aliases of aliases can become, and the limit on
// depth ends an anchor that contains itself.
func (f *yamlFile) value(n ast.Node, depth int) *node {
	if n == nil {
		return f.node(nullKind, 0, 0, depth)
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return f.mapping(n, n.Values, depth)
	case *ast.MappingValueNode:
		return f.mapping(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		return f.sequence(n, depth)
	case *ast.AnchorNode:
		return f.value(n.Value, depth)
	case *ast.AliasNode:
		return f.alias(n, depth)
	case *ast.TagNode:
		return f.tagged(n, depth)
	default:
		return f.scalar(n, depth)
	}
}

func (f *yamlFile) alias(n *ast.AliasNode, depth int) *node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	target, ok := f.anchors[name]
	if !ok {
		f.notes.problem(f.at(n), "define it with &"+printable(name), "there is no anchor %s", quote(name))
		return nil
	}
	return f.value(target, depth+1)
}

// tagged honours !!str, which makes a string of any scalar, passes the other
// core tags, whose meaning the schema checks anyway, and refuses the rest.
func (f *yamlFile) tagged(n *ast.TagNode, depth int) *node {
	switch n.Start.Value {
	case "!!str":
		v := f.value(n.Value, depth)
		if v != nil && v.kind != listKind && v.kind != objectKind {
			v.kind = stringKind
		}
		return v
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return f.value(n.Value, depth)
	default:
		f.notes.problem(f.at(n), "remove it", "the tag %s is not supported", quote(n.Start.Value))
		return nil
	}
}

func (f *yamlFile) scalar(n ast.Node, depth int) *node {
	at := f.at(n)
	k, text := stringKind, n.GetToken().Value
	switch n := n.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		k = numberKind
	case *ast.BoolNode:
		k = boolKind
	case *ast.NullNode:
		k, text = nullKind, ""
	default:
		f.notes.problem(at, "", "this kind of YAML value is not supported here")
		return nil
	}
	v := f.node(k, at.line, at.col, depth)
	if v != nil {
		v.text = text
	}
	return v
}

func (f *yamlFile) sequence(n *ast.SequenceNode, depth int) *node {
	at := f.at(n)
	list := f.node(listKind, at.line, at.col, depth)
	if list == nil {
		return nil
	}
	for _, item := range n.Values {
		v := f.value(item, depth+1)
		if v == nil {
			return nil
		}
		list.items = append(list.items, v)
	}
	return list
}

func (f *yamlFile) mapping(n ast.Node, values []*ast.MappingValueNode, depth int) *node {
	at := f.at(n)
	object := f.node(objectKind, at.line, at.col, depth)
	if object == nil {
		return nil
	}
	seen := map[string]int{}
	var merges []ast.Node
	for _, pair := range values {
		if pair.Key.IsMergeKey() {
			merges = append(merges, pair.Value)
			continue
		}
		key := f.key(pair.Key)
		v := f.value(pair.Value, depth+1)
		if key == nil || v == nil {
			return nil
		}
		if v.line == 0 {
			v.line, v.col = key.line, key.col
		}
		f.add(object, member{name: key.text, key: key, value: v}, seen)
	}
	for _, m := range merges {
		if !f.merge(object, m, depth) {
			return nil
		}
	}
	return object
}

// key returns the place and the name of a member.
func (f *yamlFile) key(n ast.MapKeyNode) *node {
	at := f.at(n)
	switch n := n.(type) {
	case *ast.StringNode:
		at.text = n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		at.text = n.GetToken().Value
	default:
		f.notes.problem(at, "", "a key must be a plain word or a quoted string")
		return nil
	}
	return at
}

// merge adds the members that "<<: *anchor" brings and the object lacks.
func (f *yamlFile) merge(object *node, n ast.Node, depth int) bool {
	source := f.value(n, depth+1)
	if source == nil {
		return false
	}
	parts := []*node{source}
	if source.kind == listKind {
		parts = source.items
	}
	for _, part := range parts {
		if part.kind != objectKind {
			f.notes.problem(f.at(n), "write <<: *name, where &name marks an object", "a merge key needs an object, not %s", part.kind)
			return false
		}
		for _, m := range part.members {
			if object.get(m.name) == nil {
				object.members = append(object.members, m)
			}
		}
	}
	return true
}
