package definitions

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/registry"
)

// tool returns a tool's definition; schema is its input schema.
func tool(description, schema, more string) string {
	return `{"name":"t","description":"` + description + `","inputSchema":` + schema + more + `}`
}

const (
	plain    = `{"type":"object","properties":{"to":{"type":"string"}},"required":["to"]}`
	shut     = `{"type":"object","properties":{"to":{"type":"string"},"n":{"type":"integer"}},"additionalProperties":false}`
	longText = "Sends a mail to somebody who is known to the user"
)

func TestClassify(t *testing.T) {
	property := func(schema string) string { return tool("d", `{"type":"object","properties":{"p":`+schema+`}}`, "") }
	for _, tt := range []struct {
		name     string
		old, now string
		want     Classes
	}{
		{"another description", tool("a", plain, ""), tool("b", plain, ""), Wording},
		{"no description", tool("a", plain, ""), `{"name":"t","inputSchema":` + plain + `}`, Wording},
		{"a title", tool("a", plain, ""), tool("a", plain, `,"title":"T"`), Wording},
		{"a title that is none", tool("a", plain, ""), tool("a", plain, `,"title":{"x":"y"}`), Annotation},
		{"a property's description", property(`{"description":"a"}`), property(`{"description":"b"}`), Wording},

		{"a new property", tool("a", plain, ""), tool("a", `{"type":"object","properties":{"to":{"type":"string"},"bcc":{"type":"string"}},"required":["to"]}`, ""), Schema},
		{"a property that is required", tool("a", `{"type":"object","properties":{"to":{}}}`, ""), tool("a", `{"type":"object","properties":{"to":{}},"required":["to"]}`, ""), Schema},
		{"one that is not required any more", tool("a", plain, ""), tool("a", `{"type":"object","properties":{"to":{"type":"string"}},"required":[]}`, ""), Schema},
		{"a property less, others are taken", tool("a", plain, ""), tool("a", `{"type":"object","properties":{},"required":["to"]}`, ""), Schema},
		{"a property less, no others are taken", tool("a", shut, ""), tool("a", `{"type":"object","properties":{"to":{"type":"string"}},"additionalProperties":false}`, ""), Wording},
		{"others are taken", tool("a", shut, ""), tool("a", strings.Replace(shut, `,"additionalProperties":false`, "", 1), ""), Schema},
		{"others are taken in words", tool("a", shut, ""), tool("a", strings.Replace(shut, `:false`, `:true`, 1), ""), Schema},
		{"others are not taken", tool("a", plain, ""), tool("a", strings.Replace(plain, `"type":"object"`, `"type":"object","additionalProperties":false`, 1), ""), Wording},
		{"no schema", tool("a", plain, ""), `{"name":"t","description":"a"}`, Schema},
		{"a schema that is none", tool("a", plain, ""), tool("a", `true`, ""), Schema},
		{"an output schema", tool("a", plain, ""), tool("a", plain, `,"outputSchema":{}`), Schema},
		{"a wider output schema", tool("a", plain, `,"outputSchema":{"type":"string"}`), tool("a", plain, `,"outputSchema":{"type":["string","null"]}`), Schema},

		{"a wider type", property(`{"type":"string"}`), property(`{"type":["string","object"]}`), Schema},
		{"another type", property(`{"type":"string"}`), property(`{"type":"object"}`), Schema},
		{"a narrower type", property(`{"type":["string","null"]}`), property(`{"type":"string"}`), Wording},
		{"whole numbers only", property(`{"type":"number"}`), property(`{"type":"integer"}`), Wording},
		{"fractions too", property(`{"type":"integer"}`), property(`{"type":"number"}`), Schema},
		{"a type", property(`{}`), property(`{"type":"string"}`), Schema},
		{"no type", property(`{"type":"string"}`), property(`{}`), Schema},
		{"a smaller maximum", property(`{"maximum":10}`), property(`{"maximum":9.5}`), Wording},
		{"a larger maximum", property(`{"maximum":10}`), property(`{"maximum":1e2}`), Schema},
		{"a maximum", property(`{}`), property(`{"maxLength":5}`), Wording},
		{"no maximum", property(`{"maxLength":5}`), property(`{}`), Schema},
		{"a maximum that is none", property(`{"maximum":10}`), property(`{"maximum":"9"}`), Schema},
		{"a maximum of many digits", property(`{"maximum":10}`), property(`{"maximum":` + strings.Repeat("0", 50) + `}`), whole}, // no JSON
		{"a larger minimum", property(`{"minimum":1}`), property(`{"minimum":2}`), Wording},
		{"a smaller minimum", property(`{"minimum":1}`), property(`{"minimum":-1}`), Schema},
		{"a longer text", property(`{}`), property(`{"minLength":500}`), Schema},
		{"more items", property(`{"minItems":1}`), property(`{"minItems":2}`), Schema},
		{"a pattern", property(`{}`), property(`{"pattern":"^/etc/"}`), Schema},
		{"a format", property(`{"type":"string"}`), property(`{"type":"string","format":"password"}`), Schema},
		{"unique items", property(`{}`), property(`{"uniqueItems":true}`), Wording},
		{"other items", property(`{"items":{"type":"string"}}`), property(`{"items":{"type":"object"}}`), Schema},
		{"items with other words", property(`{"items":{"description":"a"}}`), property(`{"items":{"description":"b"}}`), Wording},
		{"a choice more", property(`{"anyOf":[{"type":"string"}]}`), property(`{"anyOf":[{"type":"string"},{}]}`), Schema},
		{"a choice with other words", property(`{"anyOf":[{"description":"a"}]}`), property(`{"anyOf":[{"description":"b"}]}`), Wording},
		{"a reference", property(`{"$ref":"#/a"}`), property(`{"$ref":"#/b"}`), Schema},
		{"words of what is not meant", property(`{"not":{"description":"a"}}`), property(`{"not":{"description":"b"}}`), Schema},
		{"words of what is shared", tool("a", `{"$defs":{"x":{"description":"a"}}}`, ""), tool("a", `{"$defs":{"x":{"description":"b"}}}`, ""), Wording},
		{"more that is shared", tool("a", `{"$defs":{"x":{}}}`, ""), tool("a", `{"$defs":{"x":{},"y":{}}}`, ""), Schema},
		{"a word of somebody's own", property(`{}`), property(`{"x-mcp-header":"X-Y"}`), Annotation},

		{"a default", property(`{"type":"string"}`), property(`{"type":"string","default":"x"}`), Default},
		{"another default", property(`{"default":1}`), property(`{"default":2}`), Default},
		{"a number that differs in its last digit", property(`{"default":9007199254740992}`), property(`{"default":9007199254740993}`), Default},
		{"an enum", property(`{}`), property(`{"enum":["a"]}`), Default},
		{"an enum with more", property(`{"enum":["a"]}`), property(`{"enum":["a","b"]}`), Default | Schema},
		{"an enum with less", property(`{"enum":["a","b"]}`), property(`{"enum":["b"]}`), Default},
		{"no enum", property(`{"enum":["a","b"]}`), property(`{}`), Default | Schema},
		{"a constant", property(`{}`), property(`{"const":"a"}`), Default},
		{"an example", property(`{}`), property(`{"examples":["a"]}`), Default},
		{"a property called default", tool("a", `{"properties":{"default":{"type":"string"}}}`, ""), tool("a", `{"properties":{"default":{"type":"string","description":"d"}}}`, ""), Wording},

		{"read only", tool("a", plain, ""), tool("a", plain, `,"annotations":{"readOnlyHint":true}`), Annotation},
		{"not destructive", tool("a", plain, `,"annotations":{"destructiveHint":true}`), tool("a", plain, `,"annotations":{"destructiveHint":false}`), Annotation},
		{"metadata", tool("a", plain, ""), tool("a", plain, `,"_meta":{"a":1}`), Annotation},
		{"execution", tool("a", plain, ""), tool("a", plain, `,"execution":{"taskSupport":"required"}`), Annotation},
		{"what nobody knows", tool("a", plain, ""), tool("a", plain, `,"conversation_history":[]`), Annotation},

		{"a URL in words", tool("a", plain, ""), tool("see https://a.example/x", plain, ""), Wording | URL},
		{"the same URL in other words", tool("see https://a.example/x", plain, ""), tool("look at https://a.example/x.", plain, ""), Wording},
		{"another place of a host", tool("see https://a.example/x", plain, ""), tool("see https://a.example/y", plain, ""), Wording | URL},
		{"an icon", tool("a", plain, ""), tool("a", plain, `,"icons":[{"src":"https://a.example/i.png"}]`), Annotation | URL},
		{"a mail address as a default", property(`{}`), property(`{"default":"x@evil.com"}`), Default | URL},
		{"a URL in a name", tool("a", plain, ""), tool("a", `{"type":"object","properties":{"to":{"type":"string"},"https://a.example":{}},"required":["to"]}`, ""), Schema | URL},
		{"everything at once", tool("a", plain, ""), tool("b", `{"properties":{"bcc":{"default":"x@evil.com"}}}`, `,"_meta":{}`), Wording | Schema | Annotation | URL},
		{"too long", tool("a", plain, ""), "", whole},
		{"was too long", "", tool("a", plain, ""), whole},
		{"no JSON", "x", tool("a", plain, ""), whole},
	} {
		if got := classify(kindOf(registry.Tools), tt.old, tt.now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if got := classify(kindOf(registry.Tools), tt.now, tt.now); got != 0 && tt.now != "" {
			t.Errorf("%s: the same is a change: %s", tt.name, got)
		}
	}
}

func TestClassifyOtherKinds(t *testing.T) {
	prompt := func(arguments string) string { return `{"name":"p","arguments":[` + arguments + `]}` }
	for _, tt := range []struct {
		name     string
		kind     Kind
		old, now string
		want     Classes
	}{
		{"a prompt's argument", kindOf(registry.Prompts), prompt(`{"name":"a"}`), prompt(`{"name":"a"},{"name":"b"}`), Wording | Schema},
		{"an argument less", kindOf(registry.Prompts), prompt(`{"name":"a"},{"name":"b"}`), prompt(`{"name":"a"}`), Wording},
		{"an argument that is required", kindOf(registry.Prompts), prompt(`{"name":"a"}`), prompt(`{"name":"a","required":true}`), Wording | Schema},
		{"one that is not", kindOf(registry.Prompts), prompt(`{"name":"a","required":true}`), prompt(`{"name":"a","required":false}`), Wording},
		{"an argument's words", kindOf(registry.Prompts), prompt(`{"name":"a","description":"x"}`), prompt(`{"name":"a","description":"y"}`), Wording},
		{"something of an argument", kindOf(registry.Prompts), prompt(`{"name":"a"}`), prompt(`{"name":"a","x":1}`), Wording | Annotation},
		{"an argument twice", kindOf(registry.Prompts), prompt(`{"name":"a"}`), prompt(`{"name":"a"},{"name":"a"}`), Schema},
		{"a prompt's text", kindOf(registry.Prompts), `{"name":"p","description":"a"}`, `{"name":"p","description":"b"}`, Wording},
		{"a schema in a prompt", kindOf(registry.Prompts), `{"name":"p"}`, `{"name":"p","inputSchema":{}}`, Annotation},
		{"a resource's name", kindOf(registry.Resources), `{"uri":"a:b","name":"x"}`, `{"uri":"a:b","name":"y"}`, Wording},
		{"a resource's type", kindOf(registry.Resources), `{"uri":"a:b","mimeType":"x/y"}`, `{"uri":"a:b","mimeType":"x/z"}`, Annotation},
		{"a template's words", kindOf(registry.Templates), `{"uriTemplate":"a:{b}","description":"x"}`, `{"uriTemplate":"a:{b}","description":"y"}`, Wording},
		{"instructions", Instructions, `"a"`, `"b"`, Wording},
		{"instructions that lead away", Instructions, `"a"`, `"b www.evil.com"`, Wording | URL},
	} {
		if got := classify(tt.kind, tt.old, tt.now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"see HTTPS://Example.com/A?b#c, then":   "https://example.com/a?b#c",
		"(https://a.example)":                   "https://a.example",
		"ftp://x and //cdn.example.com/y.js":    "ftp://x //cdn.example.com/y.js",
		"mail bob@evil.com.":                    "bob@evil.com",
		"mailto:bob@evil.com":                   "mailto:bob@evil.com",
		"data:text/html,x":                      "data:text/html,x",
		"evil.com":                              "evil.com",
		"<evil.co.uk>":                          "evil.co.uk",
		"evil.rs/x":                             "evil.rs/x",
		"at 10.0.0.1:80 or 1.2.3":               "10.0.0.1:80",
		"localhost:8080, a localhost":           "localhost:8080",
		"README.md main.py a.json node.js e.g.": "",
		"version 1.2.3, and so on... a/b c:d":   "",
		"com .com co.uk a..com -x.com":          "",
		"пример.com":                            "пример.com",
	} {
		got := addresses(text)
		for a := range strings.FieldsSeq(want) {
			if !got[a] {
				t.Errorf("%q: %v lacks %s", text, got, a)
			}
		}
		if len(got) != len(strings.Fields(want)) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestCanonical(t *testing.T) {
	same := map[registry.Kind][][2]string{
		registry.Tools: {
			{`{"name":"a","b":{"x":1,"y":[1, 2]}}`, ` { "b" : {"y":[1,2],"x":1} , "name":"\u0061" } `},
			{`{"a":"\/"}`, `{"a":"/"}`},
		},
		registry.Resources: {
			{`{"uri":"a:b","size":1}`, `{"uri":"a:b","size":2}`},
			{`{"uri":"a:b"}`, `{"uri":"a:b","annotations":{"lastModified":"2025-01-12T15:00:58Z"}}`},
			{`{"uri":"a:b","annotations":{"priority":1,"lastModified":"2024-01-12T15:00:58Z"}}`, `{"uri":"a:b","annotations":{"lastModified":"2025-01-12T15:00:58Z","priority":1}}`},
		},
	}
	for k, pairs := range same {
		for _, p := range pairs {
			if a, b := canonical(k, []byte(p[0])), canonical(k, []byte(p[1])); a != b {
				t.Errorf("%s and %s are two: %s, %s", p[0], p[1], a, b)
			}
		}
	}
	other := map[registry.Kind][][2]string{
		registry.Tools: {
			{`{"a":9007199254740992}`, `{"a":9007199254740993}`},
			{`{"a":1e400}`, `{"a":1e401}`},
			{`{"a":"\ud800"}`, `{"a":"\ud801"}`}, // no RFC 8785 for these
			{`{"size":1}`, `{"size":2}`},
		},
		registry.Resources: {
			{`{"uri":"a:b","size":"read all"}`, `{"uri":"a:b","size":"mail all"}`},
			{`{"uri":"a:b","annotations":{"lastModified":"read"}}`, `{"uri":"a:b","annotations":{"lastModified":"mail"}}`},
		},
	}
	for k, pairs := range other {
		for _, p := range pairs {
			if a, b := canonical(k, []byte(p[0])), canonical(k, []byte(p[1])); a == b {
				t.Errorf("%s and %s are one: %s", p[0], p[1], a)
			}
		}
	}
}

// TestClassifyTakesNoTimeForDepth: were each part compared again at every level,
// or each value with each other, this would take hours.
func TestClassifyTakesNoTimeForDepth(t *testing.T) {
	deep := func(leaf string) string {
		const levels = 4000
		return tool("d", strings.Repeat(`{"properties":{"p":`, levels)+leaf+strings.Repeat(`}}`, levels), "")
	}
	if got := classify(kindOf(registry.Tools), deep(`{"description":"a"}`), deep(`{"description":"b"}`)); got != Wording {
		t.Errorf("deep down: %s", got)
	}
	var values []string
	for i := range 20_000 {
		values = append(values, fmt.Sprintf(`"v%d"`, i))
	}
	many := func(more string) string {
		return tool("d", `{"properties":{"p":{"type":[`+strings.Join(values, ",")+more+`],"enum":[`+strings.Join(values, ",")+more+`]}}}`, "")
	}
	for range 20 {
		if got := classify(kindOf(registry.Tools), many(""), many(`,"x"`)); got != Default|Schema {
			t.Errorf("many values: %s", got)
		}
	}
}
