package protocol

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// What a result is, in its member resultType (MCP 2026-07-28, base protocol,
// responses). TaskResult is of the tasks extension.
const (
	Complete          = "complete"
	InputRequiredType = "input_required"
	TaskResult        = "task"
)

// ModernResult turns the result of a legacy server into one for a modern
// client: it is complete, and where the modern era wants cache hints it says
// that nobody may keep it. A legacy server has no say in resultType: with it, it
// could hand the client a requestState that the relay did not make. Other bytes
// are unchanged; what is not an object comes back as it is.
func ModernResult(method string, result []byte) []byte {
	if !isObject(result) {
		return result
	}
	if jsonrpc.StringMember(result, "resultType") != Complete {
		result = jsonrpc.SetMember(result, "resultType", []byte(`"complete"`))
	}
	if !cacheable(method) {
		return result
	}
	if _, found := jsonrpc.Member(result, "ttlMs"); !found {
		result = jsonrpc.SetMember(result, "ttlMs", []byte("0"))
	}
	if _, found := jsonrpc.Member(result, "cacheScope"); !found {
		result = jsonrpc.SetMember(result, "cacheScope", []byte(`"private"`))
	}
	return result
}

// LegacyResult turns the result of a modern server into one for a legacy
// client: without resultType where it says complete, without cache hints, and
// without the server's name in _meta. Other bytes are unchanged. A result of
// another type keeps it: the bridge has to answer that.
func LegacyResult(method string, result []byte) []byte {
	if !isObject(result) {
		return result
	}
	edits := make([]jsonrpc.Edit, 0, 4)
	if jsonrpc.StringMember(result, "resultType") == Complete {
		edits = append(edits, jsonrpc.Edit{Name: "resultType"})
	}
	if cacheable(method) {
		edits = append(edits, jsonrpc.Edit{Name: "ttlMs"}, jsonrpc.Edit{Name: "cacheScope"})
	}
	if meta, ok := metaOf(result); ok {
		if stripped := withoutMember(meta, MetaServerInfo); len(stripped) < len(meta) {
			if isEmpty(stripped) {
				stripped = nil
			}
			edits = append(edits, jsonrpc.Edit{Name: "_meta", Value: stripped})
		}
	}
	return jsonrpc.Apply(result, edits...)
}

// maxTTL is how long clients may keep what the relay offers.
const maxTTL = time.Minute

// Cacheable returns a result of the modern era that is complete and may be kept
// by its receiver alone, for ttl but not for more than a minute: what is kept
// longer outlives a verdict. All three members are the relay's, whatever they
// were. It is for lists and server/discover.
func Cacheable(result []byte, ttl time.Duration) []byte {
	ttl = max(0, min(ttl, maxTTL))
	result = jsonrpc.SetMember(result, "resultType", []byte(`"complete"`))
	result = jsonrpc.SetMember(result, "ttlMs", strconv.AppendInt(nil, ttl.Milliseconds(), 10))
	return jsonrpc.SetMember(result, "cacheScope", []byte(`"private"`))
}

// TTL returns for how long a result says that it may be kept. It is 0 where it
// does not say so, or says nonsense.
func TTL(result []byte) time.Duration {
	if !isObject(result) {
		return 0
	}
	raw, found := jsonrpc.Member(result, "ttlMs")
	if !found {
		return 0
	}
	ms, err := strconv.ParseFloat(string(bytes.TrimSpace(raw)), 64)
	if err != nil || !(ms > 0) {
		return 0
	}
	return time.Duration(math.Min(ms, float64(24*time.Hour/time.Millisecond))) * time.Millisecond
}

// ResultType returns the member resultType of a result: "complete" where there is
// none (MCP 2026-07-28, base protocol, responses), "" where it is not a string.
func ResultType(result []byte) string {
	if !isObject(result) {
		return Complete
	}
	raw, found := jsonrpc.Member(result, "resultType")
	if !found {
		return Complete
	}
	kind, _ := jsonrpc.Unquote(raw)
	return kind
}

// ErrorFor returns the error object for a peer of the given era: the code for a
// resource that is not there differs. Other bytes are unchanged.
func ErrorFor(to Era, method string, object []byte) []byte {
	if method != ResourcesRead || !isObject(object) {
		return object
	}
	from, into := CodeInvalidParams, CodeResourceNotFound
	if to == Modern {
		from, into = into, from
	}
	if code, ok := ErrorCode(object); !ok || code != from {
		return object
	}
	return jsonrpc.SetMember(object, "code", strconv.AppendInt(nil, int64(into), 10))
}

// ErrorCode returns the code of an error object. It reports false when there is
// none, or none that is an integer.
func ErrorCode(object []byte) (int, bool) {
	if !isObject(object) {
		return 0, false
	}
	raw, found := jsonrpc.Member(object, "code")
	if !found {
		return 0, false
	}
	code, ok := integer(raw)
	return int(code), ok
}

// cacheable reports whether results of the method have cache hints in the
// modern era (MCP 2026-07-28, caching).
func cacheable(method string) bool {
	switch method {
	case Discover, ToolsList, PromptsList, ResourcesList, TemplatesList, ResourcesRead:
		return true
	default:
		return false
	}
}
