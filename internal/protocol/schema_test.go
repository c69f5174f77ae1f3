package protocol

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// rule is what a revision's JSON Schema says of a value, as far as it names
// members.
type rule struct {
	Ref                  string          `json:"$ref"`
	Const                any             `json:"const"`
	Type                 any             `json:"type"`
	Properties           map[string]rule `json:"properties"`
	Items                *rule           `json:"items"`
	AnyOf, OneOf, AllOf  []rule
	AdditionalProperties json.RawMessage `json:"additionalProperties"`
}

// user are the members that the schemas describe and that are the user's or the
// server's own all the same.
var user = map[string]bool{"inputSchema": true, "outputSchema": true, "requestedSchema": true}

type walk struct {
	t     *testing.T
	defs  map[string]rule
	inUse map[string]bool
	seen  map[string]bool
	count int
}

// TestShapeNamesAll: at every place where a revision's schema names a member,
// another case of its name is refused.
func TestShapeNamesAll(t *testing.T) {
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		text, err := os.ReadFile(filepath.Join("..", "conformance", "testdata", "schema", revision, "schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Defs map[string]rule `json:"$defs"`
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		w := walk{t: t, defs: schema.Defs, inUse: map[string]bool{}, seen: map[string]bool{}}
		for name, def := range schema.Defs {
			switch {
			case def.Properties["method"].Const != nil, strings.HasSuffix(name, "Error") && def.Properties["jsonrpc"].Const != nil:
				w.rule(def, nil)
			case strings.HasSuffix(name, "Result"):
				w.rule(def, []string{"result"})
			}
		}
		if w.count < 300 {
			t.Errorf("%s: only %d places looked at", revision, w.count)
		}
	}
}

func (w *walk) rule(r rule, path []string) {
	if r.Ref != "" {
		name := r.Ref[strings.LastIndex(r.Ref, "/")+1:]
		if w.inUse[name] {
			return
		}
		w.inUse[name] = true
		defer delete(w.inUse, name)
		w.rule(w.defs[name], path)
	}
	for _, choices := range [][]rule{r.AnyOf, r.OneOf, r.AllOf} {
		for _, choice := range choices {
			w.rule(choice, path)
		}
	}
	for name, below := range r.Properties {
		w.member(path, name)
		if !user[name] {
			w.rule(below, append(slices.Clip(path), name))
		}
	}
	if r.Items != nil {
		w.rule(*r.Items, append(slices.Clip(path), "[]"))
	}
	var values rule
	if json.Unmarshal(r.AdditionalProperties, &values) == nil {
		w.rule(values, append(slices.Clip(path), "any"))
	}
}

// member checks one name at one place.
func (w *walk) member(path []string, name string) {
	upper := strings.ToUpper(name)
	place := strings.Join(append(slices.Clip(path), name), ".")
	if upper == name || w.seen[place] {
		return
	}
	w.seen[place] = true
	w.count++
	variant := string(jsonrpc.AppendString([]byte("{"), upper)) + `:null}`
	err := jsonrpc.Validate([]byte(nest(path, variant)), Message())
	if i := oneBlock(path); i > 0 {
		// One block that is not in a list could as well be a form: it is free
		// until the method is known.
		if err != nil {
			w.t.Errorf("%s: a form cannot have a field of that name", place)
		}
		err = CheckAnswer(CreateMessage, []byte(nest(path[i:], variant)))
	}
	var parse *jsonrpc.ParseError
	if !errors.As(err, &parse) || parse.Reason != jsonrpc.CaseVariant {
		w.t.Errorf("%s: %v", place, err)
	}
}

// oneBlock returns where in path a client's answer holds a content block that is
// not in a list, or 0.
func oneBlock(path []string) int {
	for i := 1; i < len(path); i++ {
		if path[i] == "content" && (path[i-1] == "result" || path[i-1] == "any") && (i+1 == len(path) || path[i+1] != "[]") {
			return i
		}
	}
	return 0
}

// nest returns a value inside the objects and arrays that lead to it.
func nest(path []string, value string) string {
	for _, step := range slices.Backward(path) {
		if step == "[]" {
			value = "[" + value + "]"
		} else {
			value = string(jsonrpc.AppendString([]byte("{"), step)) + ":" + value + "}"
		}
	}
	return value
}
