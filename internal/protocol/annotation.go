package protocol

import (
	"bytes"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Repeatable reports whether the definition of a tool is annotated to change
// nothing and to do the same each time, and lets nobody run it as a task. What
// is not said counts as the specification has it: a tool changes things. It is
// the server's word.
func Repeatable(definition []byte) bool {
	// Most definitions have no annotations, and need no second look.
	if !isObject(definition) || !bytes.Contains(definition, []byte(`"readOnlyHint"`)) {
		return false
	}
	annotations, ok := jsonrpc.ObjectMember(definition, "annotations")
	if !ok || !hint(annotations, "readOnlyHint") || !hint(annotations, "idempotentHint") || !mild(annotations) {
		return false
	}
	execution, ok := jsonrpc.Member(definition, "execution")
	if !ok {
		return true
	}
	support, said := jsonrpc.Member(execution, "taskSupport")
	return isObject(execution) && (!said || string(support) == `"forbidden"`)
}

func hint(annotations []byte, name string) bool {
	value, ok := jsonrpc.Member(annotations, name)
	return ok && string(value) == "true"
}

// mild reports whether nothing says that the tool destroys something.
func mild(annotations []byte) bool {
	value, ok := jsonrpc.Member(annotations, "destructiveHint")
	return !ok || string(value) == "false"
}
