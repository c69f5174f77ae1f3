package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const manual = "../../docs/configuration.md"

// The tables of keys in the manual are made from the tables in the code.
func TestManualTables(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	got := replaceTable(t, string(text), "server", references(serverFields()))
	got = replaceTable(t, got, "relay", references(relayFields()))
	if got == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: run go test ./internal/config -run Manual -update", manual)
	}
	if err := os.WriteFile(manual, []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceTable(t *testing.T, text, name string, rows []reference) string {
	t.Helper()
	head, rest, ok := strings.Cut(text, "<!-- keys: "+name+" -->\n")
	_, tail, ended := strings.Cut(rest, "<!-- end -->")
	if !ok || !ended {
		t.Fatalf("the manual has no place for the keys of %s", name)
	}
	var b strings.Builder
	b.WriteString("\n| key | type | default | |\n|---|---|---|---|\n")
	writeRows(&b, "", rows)
	b.WriteString("\n")
	return head + "<!-- keys: " + name + " -->\n" + b.String() + "<!-- end -->" + tail
}

func writeRows(b *strings.Builder, prefix string, rows []reference) {
	for _, r := range rows {
		def := r.Default
		if def != "" && def != "required" && !strings.Contains(def, " ") {
			def = "`" + def + "`"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, r.Key, r.Type, def, strings.ReplaceAll(r.Doc, "|", `\|`))
		separator := "."
		if strings.HasPrefix(r.Type, "list") {
			separator = "[]."
		}
		writeRows(b, prefix+r.Key+separator, r.Nested)
	}
}

var (
	fence       = regexp.MustCompile("(?ms)^```(yaml|json|jsonc)\n(.*?)\n```")
	configKey   = regexp.MustCompile(`(?m)^(?:\{?\s{0,2}"(?:mcpServers|servers|relay|mcpRelay)"|(?:mcpServers|servers|relay|mcpRelay))\s*:`)
	placeholder = regexp.MustCompile(`\$\{(?:env:)?(\w+)\}`)
)

// Every configuration that people may copy from the documentation loads, and
// the schema agrees.
func TestDocumentedExamples(t *testing.T) {
	schema := compileSchema(t)
	count := 0
	pages, _ := filepath.Glob("../../docs/*.md")
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			if configKey.MatchString(m[2]) {
				count++
				checkExample(t, schema, filepath.Base(page), "relay."+m[1], m[2])
			}
		}
	}
	files, _ := filepath.Glob("../../examples/*.[jy]*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		count++
		checkExample(t, schema, file, filepath.Base(file), string(text))
	}
	if count < 10 {
		t.Errorf("only %d examples were found", count)
	}
}

func checkExample(t *testing.T, schema *jsonschema.Schema, where, name, text string) {
	t.Helper()
	if strings.HasSuffix(name, "yaml") && !strings.Contains(text, "ervers:") {
		text = "mcpServers: {x: {command: c}}\n" + text
	}
	var env []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		env = append(env, m[1]+"=/value/of/a/variable")
	}
	opts := Options{Path: write(t, name, text), Environ: environ(env...), Home: "/home/me", Installed: twoInstalled}
	if _, err := Load(opts); err != nil {
		t.Errorf("%s: %v\n%s", where, err, text)
		return
	}
	if err := schema.Validate(asJSON(t, name, text)); err != nil {
		t.Errorf("%s: the schema does not agree: %v\n%s", where, err, text)
	}
}

// asJSON gives a file as the schema's validator wants it.
func asJSON(t *testing.T, name, text string) any {
	t.Helper()
	out := &notes{}
	root := parse(name, []byte(text), out)
	if root == nil {
		t.Fatal(out.err())
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader((&reader{notes: out}).appendJSON(nil, root)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("relay.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("relay.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// What the schema refuses, the loader refuses too, and the other way round
// where a schema can tell.
func TestSchemaAgrees(t *testing.T) {
	schema := compileSchema(t)
	for text, valid := range map[string]bool{
		`{"mcpServers": {"x": {"command": "c", "env": {"A": 1, "B": true}, "unknown": 1}}, "theme": "dark"}`: true,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"max_tools": "${N:-5}", "audit": {"path": "-"}}}`: true,
		`{"servers": {"x": {"command": "c"}}, "relay": {"call_timeout": 0, "max_message": "1MiB"}}`:          true,
		`{"relay": {}}`: false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"nameing": "bare"}}`:                                      false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"naming": "both"}}`:                                       false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"max_name": 5}}`:                                          false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"start_timeout": 10}}`:                                    false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"scanners": [{"name": "a"}]}}`:                            false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"scanners": [{"name": "a", "plugin": "guard", "x": 1}]}}`: false,
		`{"mcpServers": {"x": {"command": ["c"]}}}`:                                                                  false,
		`{"mcpServers": {"x": {"command": "c", "args": "a"}}}`:                                                       false,
		`{"mcpServers": []}`: false,
		`{"mcpServers": {"x": {"url": "https://a.example/", "oauth": true, "protocol": "legacy"}}, "relay": {"http": {}}}`:                          true,
		`{"mcpServers": {"x": {"url": "https://a.example/", "oauth": {"clientId": "c", "other": 1}, "requests": {"roots": false}}}}`:                true,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"tokens": {"a": "0123456789abcdef"}, "sse": false}, "isolation": "principal"}}`: true,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"transport": "streamable-http", "limits": {"streams_per_principal": 5}}}`:                true,
		`{"mcpServers": {"x": {"url": "https://a.example/", "oauth": "yes"}}}`:                                                                      false,
		`{"mcpServers": {"x": {"url": "https://a.example/", "oauth": {"grant": "password"}}}}`:                                                      false,
		`{"mcpServers": {"x": {"command": "c", "requests": {"samplng": true}}}}`:                                                                    false,
		`{"mcpServers": {"x": {"command": "c", "protocol": "new"}}}`:                                                                                false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"lisen": "127.0.0.1:1"}}}`:                                                      false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"listen": "8000"}}}`:                                                            false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"tokens": {"A B": "0123456789abcdef"}}}}`:                                       false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"tokens": {"a": "short"}}}}`:                                                    false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"tls": {"cert": "c"}}}}`:                                                        false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"http": {"auth": "basic"}}}`:                                                             false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"isolation": "none"}}`:                                                                   false,
		`{"mcpServers": {"x": {"command": "c"}}, "relay": {"page_size": 0}}`:                                                                        false,
	} {
		_, loadErr := Load(Options{Path: write(t, "relay.json", text), Environ: environ()})
		schemaErr := schema.Validate(asJSON(t, "relay.json", text))
		if (loadErr == nil) != valid || (schemaErr == nil) != valid {
			t.Errorf("%s\nvalid %v, loader %v, schema %v", text, valid, loadErr, schemaErr)
		}
	}
}

// The defaults in the tables are values that the tables accept.
func TestDefaultsAreValid(t *testing.T) {
	out := &notes{}
	r := &reader{notes: out}
	setDefaults(r, &Relay{}, relayFields())
	setDefaults(r, &Scanner{}, scannerFields())
	setDefaults(r, &Audit{}, auditFields())
	setDefaults(r, &entry{}, serverFields())
	setDefaults(r, &HTTP{}, httpFields())
	setDefaults(r, &Limits{}, limitFields())
	setDefaults(r, &Requests{}, requestFields())
	setDefaults(r, &OAuth{}, oauthFields())
	if len(out.problems) > 0 {
		t.Error(out.problems)
	}
}
