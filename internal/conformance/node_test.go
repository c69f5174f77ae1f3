package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value that keeps how it is written: the order of members, the
// spelling of strings and numbers.
type node struct {
	leaf  string // as written, of what is neither object nor array
	list  bool
	names []string // as written, of an object
	kids  []*node
}

func (n *node) isLeaf() bool   { return n.leaf != "" }
func (n *node) isObject() bool { return n.leaf == "" && !n.list }

func leaf(text string) *node { return &node{leaf: text} }

// decoder reads JSON as freely as the relay may.
func decoder(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func parse(text string) (*node, error) {
	d := decoder([]byte(text))
	n, err := parseNext(d)
	if err != nil {
		return nil, fmt.Errorf("%w in %.200s", err, text)
	}
	return n, nil
}

func mustParse(t *testing.T, text string) *node {
	t.Helper()
	n, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func parseNext(d *jsontext.Decoder) (*node, error) {
	kind := d.PeekKind()
	if kind != '{' && kind != '[' {
		v, err := d.ReadValue()
		return leaf(string(v)), err
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	n := &node{list: kind == '['}
	for d.PeekKind() != '}' && d.PeekKind() != ']' {
		if kind == '{' {
			name, err := d.ReadValue()
			if err != nil {
				return nil, err
			}
			n.names = append(n.names, string(name))
		}
		kid, err := parseNext(d)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	_, err := d.ReadToken()
	return n, err
}

// format writes a node with the given text around each token; empty: compact.
func (n *node) format(space string) string {
	var b strings.Builder
	n.write(&b, space)
	return b.String()
}

func (n *node) String() string { return n.format("") }

func (n *node) write(b *strings.Builder, space string) {
	if n.isLeaf() {
		b.WriteString(n.leaf)
		return
	}
	open, end := "{", "}"
	if n.list {
		open, end = "[", "]"
	}
	b.WriteString(open + space)
	for i, kid := range n.kids {
		if i > 0 {
			b.WriteString(space + "," + space)
		}
		if !n.list {
			b.WriteString(n.names[i] + space + ":" + space)
		}
		kid.write(b, space)
	}
	b.WriteString(space + end)
}

func (n *node) clone() *node {
	c := &node{leaf: n.leaf, list: n.list, names: slices.Clone(n.names)}
	for _, kid := range n.kids {
		c.kids = append(c.kids, kid.clone())
	}
	return c
}

// plain returns the name that a name as written means.
func plain(name string) string {
	text, err := jsontext.AppendUnquote(nil, name)
	if err != nil {
		return name
	}
	return string(text)
}

// member returns the index of an object's member; negative: none.
func (n *node) member(name string) int {
	return slices.IndexFunc(n.names, func(written string) bool { return plain(written) == name })
}

// get returns the value at a path of names and indices.
func (n *node) get(path ...string) *node {
	for _, step := range path {
		i := n.member(step)
		if n.list {
			i, _ = strconv.Atoi(step)
		}
		if i < 0 || i >= len(n.kids) {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

// set sets a member, which it adds when it is not there.
func (n *node) set(name, value string) *node {
	kid, err := parse(value)
	if err != nil {
		panic(err)
	}
	if i := n.member(name); i >= 0 {
		n.kids[i] = kid
		return n
	}
	n.names = append(n.names, string(quote(name)))
	n.kids = append(n.kids, kid)
	return n
}

// drop removes a member.
func (n *node) drop(name string) *node {
	if i := n.member(name); i >= 0 {
		n.names = slices.Delete(n.names, i, i+1)
		n.kids = slices.Delete(n.kids, i, i+1)
	}
	return n
}

// each calls f with every value, the outermost first, and its path.
func (n *node) each(f func(path []string, v *node)) { n.visit(nil, f) }

func (n *node) visit(path []string, f func(path []string, v *node)) {
	f(path, n)
	for i, kid := range n.kids {
		step := strconv.Itoa(i)
		if !n.list {
			step = plain(n.names[i])
		}
		kid.visit(append(slices.Clone(path), step), f)
	}
}

func TestNodeKeepsHowItIsWritten(t *testing.T) {
	for _, text := range []string{
		`{"b":1,"a":[{},[],1e400,-0,"\u0041\ud800\u2028"],"\u0063":null,"":{"":9007199254740993.10}}`, `7`, `""`, `[]`,
	} {
		if got := mustParse(t, text).String(); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
	n := mustParse(t, `{"a":{"b":[1,2]}}`)
	if n.get("a", "b", "1").leaf != "2" || n.get("a", "x") != nil {
		t.Error("paths lead elsewhere")
	}
	if got := n.set("c", `"x"`).drop("a").String(); got != `{"c":"x"}` {
		t.Error(got)
	}
}
