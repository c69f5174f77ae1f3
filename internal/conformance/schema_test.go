package conformance

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// schema is a revision's JSON Schema.
type schema struct {
	defs map[string]*rule
	next int // of generated strings
}

// rule is what the revisions' schemas say of a value.
type rule struct {
	Ref        string            `json:"$ref"`
	Const      json.RawMessage   `json:"const"`
	Enum       []json.RawMessage `json:"enum"`
	Type       json.RawMessage   `json:"type"`
	Format     string            `json:"format"`
	Properties map[string]*rule  `json:"properties"`
	Required   []string          `json:"required"`
	More       json.RawMessage   `json:"additionalProperties"`
	Items      *rule             `json:"items"`
	AnyOf      []*rule           `json:"anyOf"`
	AllOf      []*rule           `json:"allOf"`
}

func loadSchema(t *testing.T, revision string) *schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "schema", revision, "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Defs map[string]*rule `json:"$defs"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Defs) < 100 {
		t.Fatalf("%d definitions", len(s.Defs))
	}
	return &schema{defs: s.Defs}
}

// method returns the method of a request or notification.
func (s *schema) method(def string) string {
	d := s.defs[def]
	if d == nil || d.Properties["method"] == nil {
		return ""
	}
	var name string
	_ = json.Unmarshal(d.Properties["method"].Const, &name)
	return name
}

// union returns the names of the definitions in a union.
func (s *schema) union(name string) []string {
	d := s.defs[name]
	if d == nil {
		return nil
	}
	if len(d.AnyOf) == 0 {
		return []string{name}
	}
	var out []string
	for _, r := range d.AnyOf {
		out = append(out, strings.TrimPrefix(r.Ref, "#/$defs/"))
	}
	return out
}

// deepest bounds how often one definition may lie inside itself.
const deepest = 2

// make generates a value with everything that the definition allows. Where it
// leaves a choice, the n-th is taken, round and round.
func (s *schema) make(def string, n int) *node {
	s.next = 0
	return s.value(&rule{Ref: "#/$defs/" + def}, n, map[string]int{})
}

// part generates one property of a definition.
func (s *schema) part(def, property string, n int) *node {
	s.next = 0
	d := s.defs[def]
	if d == nil || d.Properties[property] == nil {
		return &node{}
	}
	return s.value(d.Properties[property], n, map[string]int{})
}

// variants is how many values make generates before they repeat.
const variants = 6

func (s *schema) value(r *rule, n int, inside map[string]int) *node {
	if name, ok := strings.CutPrefix(r.Ref, "#/$defs/"); ok {
		inside[name]++
		defer func() { inside[name]-- }()
		return s.value(s.defs[name], n, inside)
	}
	switch {
	case len(r.Const) > 0:
		return leaf(string(r.Const))
	case len(r.Enum) > 0:
		return leaf(string(r.Enum[n%len(r.Enum)]))
	case len(r.AnyOf) > 0:
		return s.value(s.choice(r.AnyOf, n, inside), n, inside)
	case len(r.AllOf) > 0:
		all := &node{}
		for _, part := range r.AllOf {
			v := s.value(part, n, inside)
			for i, name := range v.names {
				all.set(plain(name), v.kids[i].String())
			}
		}
		return all
	}
	kind := strings.Trim(string(r.Type), `"`)
	var kinds []string
	if json.Unmarshal(r.Type, &kinds) == nil && len(kinds) > 0 {
		kind = kinds[n%len(kinds)]
	}
	s.next++
	switch kind {
	case "object":
		return s.object(r, n, inside)
	case "array":
		return s.array(r, n, inside)
	case "string":
		return leaf(s.text(r.Format))
	case "integer":
		return leaf(strconv.Itoa(s.next))
	case "number":
		return leaf(strconv.Itoa(s.next%10) + ".50")
	case "boolean":
		return leaf(strconv.FormatBool(n%2 == 0))
	case "null":
		return leaf("null")
	default: // anything
		return leaf(`"any` + strconv.Itoa(s.next) + `"`)
	}
}

// choice takes the n-th of those that do not lie too deep.
func (s *schema) choice(all []*rule, n int, inside map[string]int) *rule {
	var open []*rule
	for _, r := range all {
		if inside[strings.TrimPrefix(r.Ref, "#/$defs/")] < deepest {
			open = append(open, r)
		}
	}
	if len(open) == 0 {
		return all[0]
	}
	return open[n%len(open)]
}

func (s *schema) text(format string) string {
	switch format {
	case "uri":
		return `"https://example.com/` + strconv.Itoa(s.next) + `"`
	case "uri-template":
		return `"file:///t/{x` + strconv.Itoa(s.next) + `}"`
	case "byte":
		return `"aGVsbG8="`
	default:
		return `"text ` + strconv.Itoa(s.next) + `"`
	}
}

func (s *schema) object(r *rule, n int, inside map[string]int) *node {
	out := &node{}
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		p := r.Properties[name]
		if !slices.Contains(r.Required, name) && s.tooDeep(p, inside) {
			continue
		}
		out.set(name, s.value(p, n, inside).String())
	}
	var more rule
	switch text := string(r.More); {
	case text == "" || text == "false" || text == "true":
	case json.Unmarshal(r.More, &more) == nil && !s.tooDeep(&more, inside):
		out.set("example.com/more", s.value(&more, n, inside).String())
	}
	return out
}

func (s *schema) tooDeep(r *rule, inside map[string]int) bool {
	if r.Items != nil {
		return s.tooDeep(r.Items, inside)
	}
	if r.Ref != "" {
		return inside[strings.TrimPrefix(r.Ref, "#/$defs/")] >= deepest
	}
	return len(r.AnyOf) > 0 && !slices.ContainsFunc(r.AnyOf, func(r *rule) bool { return !s.tooDeep(r, inside) })
}

// array has an element of each kind that may be in it.
func (s *schema) array(r *rule, n int, inside map[string]int) *node {
	out := &node{list: true}
	if r.Items == nil || s.tooDeep(r.Items, inside) {
		return out
	}
	some := 1
	item := r.Items
	for item.Ref != "" && s.defs[strings.TrimPrefix(item.Ref, "#/$defs/")] != nil {
		item = s.defs[strings.TrimPrefix(item.Ref, "#/$defs/")]
	}
	some = max(some, len(item.AnyOf))
	for i := range some {
		out.kids = append(out.kids, s.value(r.Items, n+i, inside))
	}
	return out
}

// Every message of both revisions can be generated and is rich enough to be
// worth it.
func TestSchemasGenerateMessages(t *testing.T) {
	for _, revision := range []string{lastLegacy, firstModern} {
		s := loadSchema(t, revision)
		places := 0
		for _, union := range []string{"ClientRequest", "ServerRequest", "ClientNotification", "ServerNotification", "ServerResult", "ClientResult"} {
			for _, def := range s.union(union) {
				n := s.make(def, 0)
				if !n.isObject() || !json.Valid([]byte(n.String())) {
					t.Errorf("%s %s: %s", revision, def, n)
				}
				n.each(func([]string, *node) { places++ })
				if strings.HasSuffix(union, "Request") && s.method(def) == "" {
					t.Errorf("%s %s has no method", revision, def)
				}
			}
		}
		if places < 500 {
			t.Errorf("%s: only %d places", revision, places)
		}
		if !strings.Contains(s.part("CallToolResult", "content", 0).String(), `"type":"resource_link"`) {
			t.Errorf("%s: %s", revision, s.part("CallToolResult", "content", 0))
		}
		t.Logf("%s: %d places", revision, places)
		t.Logf("%s", s.part("CallToolRequest", "params", 0))
		t.Logf("%s", s.make("Tool", 0))
	}
}
