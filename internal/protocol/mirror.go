package protocol

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// mirrorKey is the keyword of a tool's input schema that asks for a parameter to
// be mirrored into a header.
const mirrorKey = "x-mcp-header"

// Mirror is a parameter of a tool that modern HTTP requests repeat in a header
// (MCP 2026-07-28, Streamable HTTP, custom headers from tool parameters).
type Mirror struct {
	Header string   // without Mcp-Param-
	Path   []string // the names that lead to the value in arguments
	Type   string   // string, integer or boolean; "" when the schema allows several
}

// Why a definition must be excluded. The texts quote nothing of it.
var (
	errMirrorPlace = errors.New("x-mcp-header stands where no single parameter is described")
	errMirrorName  = errors.New("x-mcp-header is not a valid header name")
	errMirrorType  = errors.New("x-mcp-header is on a parameter that is not a string, an integer or a boolean")
	errMirrorTwice = errors.New("two parameters have the same x-mcp-header")
)

// maxMirrorDepth is how many schemas inside each other are looked at: each is
// read once for every schema around it, and a server may send long ones.
const maxMirrorDepth = 32

// Mirrors returns the parameters that a tool's input schema wants mirrored, in
// the order of the schema. On an error the definition is not valid, and clients
// of the modern HTTP transport must not offer the tool. An annotation inside more
// than 32 schemas is not valid here either.
func Mirrors(inputSchema []byte) ([]Mirror, error) {
	if !mayMirror(inputSchema) {
		return nil, nil
	}
	w := mirrorWalk{seen: map[string]bool{}}
	if err := w.schema(inputSchema, true, nil); err != nil {
		return nil, err
	}
	return w.found, nil
}

// mayMirror reports whether a schema may hold the keyword, in whatever spelling.
func mayMirror(schema []byte) bool {
	return bytes.Contains(schema, []byte(mirrorKey)) || bytes.Contains(schema, []byte(`\u`))
}

// mirrorWalk goes through a schema. What is not a schema (examples, defaults,
// keywords that nobody knows) may hold the keyword as data.
type mirrorWalk struct {
	found []Mirror
	seen  map[string]bool // header names in lower case
	depth int             // schemas around the one that is looked at
}

// schema looks at one schema. reachable: properties alone lead to it, through
// path, which is empty for the root.
func (w *mirrorWalk) schema(schema []byte, reachable bool, path []string) error {
	if w.depth > maxMirrorDepth {
		if mayMirror(schema) {
			return errMirrorPlace
		}
		return nil
	}
	w.depth++
	defer func() { w.depth-- }()
	for keyword, value := range jsonrpc.Members(schema) {
		var err error
		switch keyword {
		case mirrorKey:
			if !reachable || len(path) == 0 {
				return errMirrorPlace
			}
			err = w.add(schema, value, path)
		case "properties":
			err = w.properties(value, reachable, path)
		case "patternProperties", "dependentSchemas", "$defs", "definitions", "dependencies":
			err = w.properties(value, false, nil)
		case "items", "prefixItems", "additionalItems", "unevaluatedItems", "contains", "additionalProperties",
			"unevaluatedProperties", "propertyNames", "contentSchema", "not", "if", "then", "else", "allOf", "anyOf", "oneOf":
			err = w.elsewhere(value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *mirrorWalk) properties(schemas []byte, reachable bool, path []string) error {
	for name, schema := range jsonrpc.Members(schemas) {
		var below []string
		if reachable {
			below = append(slices.Clone(path), name)
		}
		if err := w.schema(schema, reachable, below); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere looks at a schema, or an array of them, that describes no single
// parameter.
func (w *mirrorWalk) elsewhere(value []byte) error {
	for schema := range jsonrpc.Elements(value) {
		if err := w.schema(schema, false, nil); err != nil {
			return err
		}
	}
	return w.schema(value, false, nil)
}

func (w *mirrorWalk) add(schema, value []byte, path []string) error {
	header, ok := jsonrpc.Unquote(value)
	if !ok || !IsToken(header) {
		return errMirrorName
	}
	kind, ok := mirrorType(schema)
	if !ok {
		return errMirrorType
	}
	lower := strings.ToLower(header)
	if w.seen[lower] {
		return errMirrorTwice
	}
	w.seen[lower] = true
	w.found = append(w.found, Mirror{Header: header, Path: path, Type: kind})
	return nil
}

// mirrorType reads the type of a parameter. null beside a type is allowed: a
// null is not mirrored.
func mirrorType(schema []byte) (kind string, ok bool) {
	declared, _ := jsonrpc.Member(schema, "type")
	names := [][]byte{declared}
	if len(declared) > 0 && declared[0] == '[' {
		names = slices.Collect(jsonrpc.Elements(declared))
	}
	for _, raw := range names {
		name, _ := jsonrpc.Unquote(raw)
		switch name {
		case "string", "integer", "boolean":
			if ok && name != kind {
				name = ""
			}
			kind, ok = name, true
		case "null":
		default:
			return "", false
		}
	}
	return kind, ok
}

// MirrorHeaders returns the headers that mirror the arguments of a tool call.
// params are those that were cleared: what was redacted in the body is redacted
// here. Values that no header may carry are left out.
func MirrorHeaders(ms []Mirror, params []byte) []Header {
	var headers []Header
	for _, m := range ms {
		if raw, found := m.value(params); found {
			if text, ok := mirrorText(raw); ok {
				headers = append(headers, Header{HeaderParam + m.Header, encodeHeader(text)})
			}
		}
	}
	return headers
}

// Mirrored collects the headers of a request that mirror parameters: their
// decoded values by name, in lower case and without the prefix. It is never nil
// without an error, which is a *HeaderError.
func Mirrored(header map[string][]string) (map[string]string, error) {
	found := map[string]string{}
	for name, values := range header {
		if len(name) < len(HeaderParam) || !strings.EqualFold(name[:len(HeaderParam)], HeaderParam) {
			continue
		}
		lower := strings.ToLower(name[len(HeaderParam):])
		if _, twice := found[lower]; twice || len(values) != 1 {
			return nil, &HeaderError{HeaderParam + "*", reasonRepeated}
		}
		value, ok := DecodeHeader(values[0])
		if !ok {
			return nil, &HeaderError{HeaderParam + "*", reasonInvalid}
		}
		found[lower] = value
	}
	return found, nil
}

// CheckMirrors checks the headers of a tool call against its arguments. got is
// what [Mirrored] returned; nil stands for a transport without headers, where
// nothing is checked. The error is a *HeaderError. Headers that the tool does
// not ask for are ignored.
func CheckMirrors(ms []Mirror, params []byte, got map[string]string) error {
	if got == nil {
		return nil
	}
	for _, m := range ms {
		raw, inBody := m.value(params)
		value, present := got[strings.ToLower(m.Header)]
		name := HeaderParam + m.Header
		switch {
		case !inBody && value != "":
			return &HeaderError{name, reasonExtra}
		case !inBody:
		case !present:
			return &HeaderError{name, reasonMissing}
		case !mirrors(value, raw):
			return &HeaderError{name, reasonMismatch}
		}
	}
	return nil
}

// value returns the raw argument that m mirrors, unless it is absent or null.
func (m *Mirror) value(params []byte) ([]byte, bool) {
	raw, found := jsonrpc.Member(params, "arguments")
	for _, name := range m.Path {
		if !found {
			return nil, false
		}
		raw, found = jsonrpc.Member(raw, name)
	}
	return raw, found && len(m.Path) > 0 && string(raw) != "null"
}

// mirrorText returns a raw argument as a header says it.
func mirrorText(raw []byte) (string, bool) {
	switch {
	case len(raw) == 0:
		return "", false
	case raw[0] == '"':
		return jsonrpc.Unquote(raw)
	case string(raw) == "true", string(raw) == "false":
		return string(raw), true
	default:
		n, ok := integer(raw)
		return strconv.FormatInt(n, 10), ok
	}
}

// mirrors reports whether a decoded header says what the raw argument is.
// Integers are compared as numbers.
func mirrors(value string, raw []byte) bool {
	text, ok := mirrorText(raw)
	if !ok {
		return false
	}
	if raw[0] != '"' && raw[0] != 't' && raw[0] != 'f' {
		theirs, valid := integer([]byte(value))
		ours, _ := integer(raw)
		return valid && theirs == ours
	}
	return value == text
}

// IsToken reports whether name can stand in a header's name (RFC 9110, section
// 5.6.2).
func IsToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return name != ""
}
