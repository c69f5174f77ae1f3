package protocol

import "github.com/mcp-relay/relay/internal/jsonrpc"

// TargetKind says what a request names.
type TargetKind uint8

// The kinds of target.
const (
	NoTarget TargetKind = iota
	ToolTarget
	PromptTarget
	ResourceTarget
	TaskTarget
)

// Target is what a request is aimed at: a tool or prompt by name, a resource
// by URI, a task by id. Path is where in params the value stands.
type Target struct {
	Kind  TargetKind
	Value string
	Path  [2]string // member, or member and its member
}

// TargetOf finds what a request is aimed at. For methods that the relay does
// not know it takes the first of the members name, uri and taskId; the kind of
// a bare name is then ToolTarget and the caller may try PromptTarget as well.
func TargetOf(method string, params []byte) Target {
	switch method {
	case ToolsCall:
		return member(params, ToolTarget, "name")
	case PromptsGet:
		return member(params, PromptTarget, "name")
	case ResourcesRead, Subscribe, Unsubscribe, ResourceUpdated:
		return member(params, ResourceTarget, "uri")
	case TasksGet, TasksResult, TasksCancel, TasksUpdate, TaskStatus, TaskChanged:
		return member(params, TaskTarget, "taskId")
	case CompletionComplete:
		return reference(params)
	default:
		for _, c := range []struct {
			kind TargetKind
			name string
		}{{ToolTarget, "name"}, {ResourceTarget, "uri"}, {TaskTarget, "taskId"}} {
			if t := member(params, c.kind, c.name); t.Kind != NoTarget {
				return t
			}
		}
		return Target{}
	}
}

// reference reads params.ref of completion/complete.
func reference(params []byte) Target {
	ref, ok := jsonrpc.Member(params, "ref")
	if !ok {
		return Target{}
	}
	t := member(ref, PromptTarget, "name")
	if t.Kind == NoTarget {
		t = member(ref, ResourceTarget, "uri")
	}
	if t.Kind != NoTarget {
		t.Path = [2]string{"ref", t.Path[0]}
	}
	return t
}

func member(object []byte, kind TargetKind, name string) Target {
	if !isObject(object) {
		return Target{}
	}
	raw, ok := jsonrpc.Member(object, name)
	if !ok {
		return Target{}
	}
	value, ok := jsonrpc.Unquote(raw)
	if !ok {
		return Target{}
	}
	return Target{Kind: kind, Value: value, Path: [2]string{name}}
}

// Rename returns params with the target's value replaced. Other bytes stay.
func (t Target) Rename(params []byte, value string) []byte {
	quoted := jsonrpc.AppendString(nil, value)
	if t.Path[1] == "" {
		return jsonrpc.SetMember(params, t.Path[0], quoted)
	}
	inner, ok := jsonrpc.Member(params, t.Path[0])
	if !ok {
		return params
	}
	return jsonrpc.SetMember(params, t.Path[0], jsonrpc.SetMember(inner, t.Path[1], quoted))
}

// ProgressToken returns the raw token, a string or a number, under which the
// sender of params wants to hear of progress.
func ProgressToken(params []byte) ([]byte, bool) {
	meta, ok := metaOf(params)
	if !ok {
		return nil, false
	}
	token, ok := jsonrpc.Member(meta, "progressToken")
	if _, valid := jsonrpc.ParseID(token); !ok || !valid {
		return nil, false
	}
	return token, true
}

// SetProgressToken returns params with another token. It is only for params
// that have one.
func SetProgressToken(params, token []byte) []byte {
	meta, ok := jsonrpc.Member(params, "_meta")
	if !ok {
		return params
	}
	return jsonrpc.SetMember(params, "_meta", jsonrpc.SetMember(meta, "progressToken", token))
}

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
