package definitions

import (
	"slices"

	"github.com/mcp-relay/relay/internal/registry"
)

// Kind is what a definition is of, in the words of commands and of the stored
// record: "tool", "prompt", "resource", "resource template" or "instructions".
type Kind string

// Instructions are what a server says for the model. There is one definition of
// this kind, without a name.
const Instructions Kind = "instructions"

func kindOf(k registry.Kind) Kind { return Kind(k.String()) }

// keys are the members that definitions are known by.
var keys = map[Kind]string{
	kindOf(registry.Tools): "name", kindOf(registry.Prompts): "name",
	kindOf(registry.Resources): "uri", kindOf(registry.Templates): "uriTemplate",
}

// key returns the member that definitions of the kind are known by; empty: there
// is none.
func (k Kind) key() string { return keys[k] }

// valid reports whether there is such a kind.
func (k Kind) valid() bool {
	return k == Instructions || slices.ContainsFunc(registry.Kinds, func(r registry.Kind) bool { return kindOf(r) == k })
}
