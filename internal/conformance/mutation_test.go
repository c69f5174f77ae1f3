package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// unusual is a value that is legal at every place where members are free, and
// that programs bend which read it into something of their own and write it anew.
var unusual = `{"big":9007199254740993,"huge":123456789012345678901234567890,"neg":-0,"zero":-0.0,"exp":1e400,"tiny":1E-400,"frac":1.10,` +
	`"$schema":"https://json-schema.org/draft/2020-12/schema","oneOf":[{"type":"string"},{}],"patternProperties":{"^x-":{"type":["null"]}},` +
	`"isError":false,"empty":{},"none":[],"":1,"\u0065sc\u0061ped":"\u0041\/\b","separators":"` + "\u2028 \u2029" + ` \u2028\u2029",` +
	`"lone":"\ud800 x \udfff","pair":"\ud83d\ude00` + "\U0001F600" + `","nul":"\u0000","html":"<&>","null":null,` +
	`"deep":` + strings.Repeat(`[{"d":`, 60) + "0" + strings.Repeat("}]", 60) + `}`

// mutation changes how a document is written without making it illegal.
type mutation struct {
	name  string
	apply func(n *node) string
}

// chosen are the members that hold what is not a member but a name that somebody chose: another one
// would be one thing more.
var chosen = []string{"inputRequests", "inputResponses", "io.modelcontextprotocol/clientCapabilities"}

var mutations = []mutation{
	{"as it is", (*node).String},
	{"unknown members last", func(n *node) string { return stuffed(n, false) }},
	{"unknown members first", func(n *node) string { return stuffed(n, true) }},
	{"members in reverse", func(n *node) string {
		n.each(func(_ []string, v *node) {
			if v.isObject() {
				slices.Reverse(v.names)
				slices.Reverse(v.kids)
			}
		})
		return n.String()
	}},
	{"names and strings escaped", func(n *node) string {
		n.each(func(_ []string, v *node) {
			for i := range v.names {
				v.names[i] = escaped(v.names[i])
			}
			if v.isLeaf() && v.leaf[0] == '"' {
				v.leaf = escaped(v.leaf)
			}
		})
		return n.String()
	}},
	{"white space", func(n *node) string { return n.format(" \t ") }},
	{"empty lists", func(n *node) string {
		n.each(func(path []string, v *node) {
			if v.list && len(path) > 0 && path[len(path)-1] != "resourceSubscriptions" {
				v.kids = nil
			}
		})
		return n.String()
	}},
}

// stuffed adds an unknown member to every object.
func stuffed(n *node, first bool) string {
	var objects []*node
	n.each(func(path []string, v *node) {
		if v.isObject() && (len(path) == 0 || !slices.Contains(chosen, path[len(path)-1])) {
			objects = append(objects, v)
		}
	})
	for _, v := range objects {
		kid, err := parse(unusual)
		if err != nil {
			panic(err)
		}
		at := len(v.kids)
		if first {
			at = 0
		}
		v.names = slices.Insert(v.names, at, `"x-unusual"`)
		v.kids = slices.Insert(v.kids, at, kid)
	}
	return n.String()
}

// escaped writes the first letter of a string as an escape.
func escaped(text string) string {
	if len(text) < 3 || text[1] == '\\' || text[1] >= 0x80 {
		return text
	}
	return fmt.Sprintf(`"\u%04x%s`, text[1], text[2:])
}

func TestMutationsAreLegal(t *testing.T) {
	for _, m := range mutations {
		n := mustParse(t, `{"name":"x","list":[1,{"a":"b"}],"_meta":{}}`)
		text := m.apply(n)
		if !json.Valid([]byte(text)) {
			t.Errorf("%s: %s", m.name, text)
		}
		if m.name == "names and strings escaped" && text != `{"\u006eame":"\u0078","\u006cist":[1,{"\u0061":"\u0062"}],"\u005fmeta":{}}` {
			t.Error(text)
		}
	}
}
