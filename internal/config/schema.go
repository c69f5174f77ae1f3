package config

import (
	"encoding/json"
	"maps"
	"strings"
)

// reference is one row of the documentation's table of keys.
type reference struct {
	Key, Type, Default, Doc string
	Nested                  []reference
}

// references describes fields for people.
func references[T any](fields []field[T]) []reference {
	rows := make([]reference, 0, len(fields))
	for _, f := range fields {
		def := f.def
		switch {
		case f.required:
			def = "required"
		case f.omitted != "":
			def = f.omitted
		}
		doc := f.doc
		if len(f.aliases) > 0 {
			doc += " Also written " + strings.Join(f.aliases, ", ") + "."
		}
		rows = append(rows, reference{Key: f.name, Type: f.value.label, Default: def, Doc: doc, Nested: f.value.nested})
	}
	return rows
}

// Schema returns the JSON Schema (2020-12) of a configuration file. Keys of
// clients that the relay does not know are allowed in servers and at the top,
// unknown keys in relay are not.
func Schema() []byte {
	server := looseSchema(serverFields())
	servers := map[string]any{"type": "object", "additionalProperties": map[string]any{"$ref": "#/$defs/server"}}
	relay := strictSchema(relayFields())
	relay["description"] = "What the relay itself does."
	legacy := map[string]any{
		"type":        []string{"object", "null"},
		"description": "The section of a pan-mcp-relay file: apiKey, aiProfile, endpoint and its limits.",
	}
	schema := map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Configuration of the MCP security relay",
		"type":        "object",
		"$defs":       map[string]any{"server": server},
		"description": "The servers as MCP clients write them, and the section relay.",
		"properties": map[string]any{
			"mcpServers": servers, "mcp_servers": servers, "servers": servers,
			"mcpRelay": legacy, "mcp_relay": legacy, "relay": relay,
		},
		"anyOf": []any{
			map[string]any{"required": []string{"mcpServers"}},
			map[string]any{"required": []string{"mcp_servers"}},
			map[string]any{"required": []string{"servers"}},
		},
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil { // the schema is made of maps, strings and numbers
		return nil
	}
	return append(text, '\n')
}

func strictSchema[T any](fields []field[T]) map[string]any {
	schema := looseSchema(fields)
	schema["additionalProperties"] = false
	return schema
}

func looseSchema[T any](fields []field[T]) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, f := range fields {
		property := map[string]any{"description": f.doc}
		maps.Copy(property, f.value.schema)
		if n := scalarNode(f.def); f.def != "" {
			property["default"] = defaultValue(n)
		}
		for _, name := range append([]string{f.name}, f.aliases...) {
			properties[name] = property
		}
		if f.required {
			required = append(required, f.name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

// mapSchema is the schema of an object whose values are scalars.
func mapSchema(types ...string) map[string]any {
	return map[string]any{"type": "object", "additionalProperties": map[string]any{"type": types}}
}

func defaultValue(n *node) any {
	if n.kind == stringKind {
		return n.text
	}
	return json.RawMessage(n.text)
}
