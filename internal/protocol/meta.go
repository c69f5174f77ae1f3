package protocol

import (
	"bytes"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Keys of _meta that MCP reserves.
const (
	MetaVersion      = "io.modelcontextprotocol/protocolVersion"
	MetaInfo         = "io.modelcontextprotocol/clientInfo"
	MetaCapabilities = "io.modelcontextprotocol/clientCapabilities"
	MetaLogLevel     = "io.modelcontextprotocol/logLevel"
	MetaServerInfo   = "io.modelcontextprotocol/serverInfo"
	MetaSubscription = "io.modelcontextprotocol/subscriptionId"
	MetaRelatedTask  = "io.modelcontextprotocol/related-task"
)

// modernKeys are what a modern request has in _meta about its sender.
var modernKeys = [...]string{MetaVersion, MetaInfo, MetaCapabilities, MetaLogLevel}

// Meta is what a modern request says of its sender (MCP 2026-07-28, basic,
// _meta). Info and Capabilities are raw JSON objects; Info may be nil.
type Meta struct {
	Version      string
	Info         []byte
	Capabilities []byte
	LogLevel     string // "": no log messages
}

// MetaError says which member of a modern request's _meta is missing or of a
// wrong type. It quotes nothing of the request.
type MetaError struct {
	Member string // one of the keys of this package, or "_meta"
}

// Error says what to send.
func (e *MetaError) Error() string {
	return "params._meta needs a valid " + e.Member
}

// Code returns the JSON-RPC code that answers such a request.
func (*MetaError) Code() int { return CodeInvalidParams }

// MetaOf reads the sender of a request. It is modern when _meta has a protocol
// version, of whatever type. The error is a *MetaError, for modern requests
// only: a member that is required is missing, or one is of a wrong type. Whether
// the relay speaks the version is the caller's question: see [KnownModern].
func MetaOf(params []byte) (m Meta, modern bool, err error) {
	meta, ok := metaOf(params)
	if !ok {
		return Meta{}, false, nil
	}
	version, modern := jsonrpc.Member(meta, MetaVersion)
	if !modern {
		return Meta{}, false, nil
	}
	if m.Version, ok = jsonrpc.Unquote(version); !ok || m.Version == "" {
		return Meta{}, true, &MetaError{MetaVersion}
	}
	if m.Capabilities, ok = jsonrpc.Member(meta, MetaCapabilities); !ok || !isObject(m.Capabilities) {
		return Meta{}, true, &MetaError{MetaCapabilities}
	}
	if m.Info, ok = jsonrpc.Member(meta, MetaInfo); ok && !isObject(m.Info) {
		return Meta{}, true, &MetaError{MetaInfo}
	}
	if raw, found := jsonrpc.Member(meta, MetaLogLevel); found {
		if m.LogLevel, ok = jsonrpc.Unquote(raw); !ok || !LogLevel(m.LogLevel) {
			return Meta{}, true, &MetaError{MetaLogLevel}
		}
	}
	return m, true, nil
}

// SetMeta returns params that say of their sender what m says, and nothing else
// that they said before. Other bytes are unchanged; params may be nil. Params
// that are no object, and no nil, come back as they are.
func SetMeta(params []byte, m Meta) []byte {
	capabilities := m.Capabilities
	if capabilities == nil {
		capabilities = []byte("{}")
	}
	meta, has := metaOf(params)
	if !has {
		return jsonrpc.SetMember(params, "_meta", appendMeta(capabilities, m))
	}
	meta = jsonrpc.SetMember(meta, MetaVersion, jsonrpc.AppendString(nil, m.Version))
	meta = setOrDelete(meta, MetaInfo, m.Info)
	meta = jsonrpc.SetMember(meta, MetaCapabilities, capabilities)
	var level []byte
	if m.LogLevel != "" {
		level = jsonrpc.AppendString(nil, m.LogLevel)
	}
	return jsonrpc.SetMember(params, "_meta", setOrDelete(meta, MetaLogLevel, level))
}

// appendMeta makes the whole of _meta.
func appendMeta(capabilities []byte, m Meta) []byte {
	b := make([]byte, 0, len(m.Version)+len(m.Info)+len(capabilities)+len(m.LogLevel)+200)
	b = append(b, `{"`+MetaVersion+`":`...)
	b = jsonrpc.AppendString(b, m.Version)
	if m.Info != nil {
		b = append(append(b, `,"`+MetaInfo+`":`...), m.Info...)
	}
	b = append(append(b, `,"`+MetaCapabilities+`":`...), capabilities...)
	if m.LogLevel != "" {
		b = jsonrpc.AppendString(append(b, `,"`+MetaLogLevel+`":`...), m.LogLevel)
	}
	return append(b, '}')
}

// StripMeta returns params without what a modern request says of its sender,
// and without _meta when nothing else was in it. Other bytes are unchanged.
func StripMeta(params []byte) []byte {
	return stripMeta(params, modernKeys[:]...)
}

// stripMeta removes keys from _meta, and _meta if that made it empty.
func stripMeta(object []byte, keys ...string) []byte {
	meta, ok := metaOf(object)
	if !ok {
		return object
	}
	stripped := meta
	for _, key := range keys {
		stripped = withoutMember(stripped, key)
	}
	switch {
	case len(stripped) == len(meta):
		return object
	case isEmpty(stripped):
		return jsonrpc.DeleteMember(object, "_meta")
	default:
		return jsonrpc.SetMember(object, "_meta", stripped)
	}
}

// metaOf returns the member _meta of params or of a result, if it is an object.
func metaOf(object []byte) ([]byte, bool) {
	if !isObject(object) {
		return nil, false
	}
	meta, ok := jsonrpc.Member(object, "_meta")
	if !ok || !isObject(meta) {
		return nil, false
	}
	return meta, true
}

// setOrDelete sets a member, or removes it when there is no value.
func setOrDelete(object []byte, name string, value []byte) []byte {
	if value == nil {
		return withoutMember(object, name)
	}
	return jsonrpc.SetMember(object, name, value)
}

// withoutMember is jsonrpc.DeleteMember without a copy where there is nothing
// to delete.
func withoutMember(object []byte, name string) []byte {
	if _, found := jsonrpc.Member(object, name); !found {
		return object
	}
	return jsonrpc.DeleteMember(object, name)
}

// isEmpty reports whether an object has no members.
func isEmpty(object []byte) bool {
	return len(bytes.TrimSpace(object[1:])) == 1
}
