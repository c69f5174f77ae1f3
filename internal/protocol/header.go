package protocol

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Headers of the modern HTTP transport (MCP 2026-07-28, Streamable HTTP, request
// metadata). Names are compared without case.
const (
	HeaderVersion = "MCP-Protocol-Version"
	HeaderMethod  = "Mcp-Method"
	HeaderName    = "Mcp-Name"
	// HeaderParam begins the name of a header that mirrors a parameter.
	HeaderParam = "Mcp-Param-"
)

// The marks around a value that is base64 of UTF-8.
const (
	sentinelStart = "=?base64?"
	sentinelEnd   = "?="
)

// Header is a header of a request, its value encoded.
type Header struct{ Name, Value string }

// HeaderError says which header of a modern HTTP request is missing, not valid,
// or says other than the body. It quotes nothing of the request: Header is a
// constant of this package or a name from a tool's definition.
type HeaderError struct {
	Header string
	Reason string // a constant text
}

// Error says which header is wrong, and how.
func (e *HeaderError) Error() string { return e.Header + " " + e.Reason }

// Code returns the JSON-RPC code that answers such a request.
func (*HeaderError) Code() int { return CodeHeaderMismatch }

// What can be wrong with a header.
const (
	reasonMissing  = "is missing"
	reasonRepeated = "is there more than once"
	reasonInvalid  = "is not a valid value"
	reasonMismatch = "differs from the body"
	reasonExtra    = "mirrors nothing in the body"
)

// StandardHeaders returns the headers of a modern request or notification. It
// reads what will leave: params are those that were cleared.
func StandardHeaders(version, method string, params []byte) []Header {
	headers := []Header{{HeaderVersion, encodeHeader(version)}, {HeaderMethod, encodeHeader(method)}}
	if name, _, ok := mirroredName(method, params); ok {
		headers = append(headers, Header{HeaderName, encodeHeader(name)})
	}
	return headers
}

// CheckHeaders checks the headers of a modern HTTP request against its body. get
// returns all values of a header, for a name in any case. The error is a
// *HeaderError, or a *MetaError when the body does not say who sends it. Of a
// notification MCP does not define the headers: those that are there must be
// right. Headers that mirror parameters are not looked at: see [Mirrored] and
// [CheckMirrors]. Whether the relay speaks the version is the caller's question.
func CheckHeaders(get func(name string) []string, m jsonrpc.Message) error {
	required := m.Kind() == jsonrpc.Request
	version, err := valueOf(get, HeaderVersion, required)
	if err != nil {
		return err
	}
	method, err := valueOf(get, HeaderMethod, required)
	if err != nil {
		return err
	}
	if method != "" && method != m.Method {
		return &HeaderError{HeaderMethod, reasonMismatch}
	}
	meta, modern, err := MetaOf(m.Params)
	switch {
	case meta.Version != "" && version != "" && meta.Version != version:
		return &HeaderError{HeaderVersion, reasonMismatch}
	case !required:
		return nil
	case !modern:
		return &MetaError{MetaVersion}
	case err != nil:
		return err
	}
	return checkName(get, m)
}

// checkName checks Mcp-Name. A body without the member that it mirrors is not
// its business: params that lack it are refused by who reads them.
func checkName(get func(name string) []string, m jsonrpc.Message) error {
	name, required, inBody := mirroredName(m.Method, m.Params)
	present := len(get(HeaderName)) > 0
	switch {
	case !mirrorsName(m.Method), !present && !inBody, !present && !required:
		return nil
	case !inBody:
		return &HeaderError{HeaderName, reasonMismatch}
	}
	value, err := oneValue(get, HeaderName)
	if err != nil {
		return err
	}
	decoded, ok := DecodeHeader(value)
	if !ok {
		return &HeaderError{HeaderName, reasonInvalid}
	}
	if decoded != name {
		return &HeaderError{HeaderName, reasonMismatch}
	}
	return nil
}

// mirrorsName reports whether requests of a method have an Mcp-Name.
func mirrorsName(method string) bool {
	switch method {
	case ToolsCall, PromptsGet, ResourcesRead, TasksGet, TasksUpdate, TasksCancel:
		return true
	default:
		return false
	}
}

// mirroredName returns what Mcp-Name mirrors. For tasks it helps whoever routes
// by it, and its absence is forgiven.
func mirroredName(method string, params []byte) (name string, required, ok bool) {
	if !mirrorsName(method) {
		return "", false, false
	}
	target := TargetOf(method, params)
	return target.Value, target.Kind != TaskTarget, target.Kind != NoTarget
}

// valueOf returns the one value of a header, or "" when it is not there and not
// required.
func valueOf(get func(name string) []string, name string, required bool) (string, error) {
	if !required && len(get(name)) == 0 {
		return "", nil
	}
	return oneValue(get, name)
}

// oneValue returns the one value of a header, without white space around it.
func oneValue(get func(name string) []string, name string) (string, error) {
	values := get(name)
	switch {
	case len(values) == 0:
		return "", &HeaderError{name, reasonMissing}
	case len(values) > 1:
		return "", &HeaderError{name, reasonRepeated}
	}
	value := strings.Trim(values[0], " \t")
	if value == "" {
		return "", &HeaderError{name, reasonMissing}
	}
	return value, nil
}

// encodeHeader returns a value as a header can carry it (MCP 2026-07-28,
// Streamable HTTP, value encoding). The empty value is encoded too: some servers
// and proxies take an empty header for none.
func encodeHeader(value string) string {
	marked := strings.HasPrefix(value, sentinelStart) && strings.HasSuffix(value, sentinelEnd)
	plain := value != "" && strings.Trim(value, " ") == value && !marked
	for i := 0; plain && i < len(value); i++ {
		plain = value[i] >= ' ' && value[i] <= '~'
	}
	if plain {
		return value
	}
	return sentinelStart + base64.StdEncoding.EncodeToString([]byte(value)) + sentinelEnd
}

// DecodeHeader returns the value that a header stands for, and false for one
// that is not valid: bytes that no header may have, base64 that is not strict,
// or that is not of UTF-8.
func DecodeHeader(v string) (string, bool) {
	v = strings.Trim(v, " \t")
	for i := range len(v) {
		if (v[i] < ' ' || v[i] > '~') && v[i] != '\t' {
			return "", false
		}
	}
	inner, ok := strings.CutPrefix(v, sentinelStart)
	if !ok {
		return v, true
	}
	if inner, ok = strings.CutSuffix(inner, sentinelEnd); !ok {
		return v, true
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(inner)
	if err != nil || !utf8.Valid(decoded) {
		return "", false
	}
	return string(decoded), true
}
