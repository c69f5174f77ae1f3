package registry

import (
	"fmt"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Kind is a kind of catalogue.
type Kind uint8

// The kinds, in the order in which a server is asked for them.
const (
	Tools Kind = iota
	Prompts
	Resources
	Templates
	kinds
)

// Kinds lists all kinds.
var Kinds = []Kind{Tools, Prompts, Resources, Templates}

type kindFacts struct{ method, member, key, capability, label string }

var facts = [kinds]kindFacts{
	Tools:     {protocol.ToolsList, "tools", "name", "tools", "tool"},
	Prompts:   {protocol.PromptsList, "prompts", "name", "prompts", "prompt"},
	Resources: {protocol.ResourcesList, "resources", "uri", "resources", "resource"},
	Templates: {protocol.TemplatesList, "resourceTemplates", "uriTemplate", "resources", "resource template"},
}

// Method returns the method that lists the kind.
func (k Kind) Method() string { return facts[k].method }

// Member returns the member of a list result that holds the items.
func (k Kind) Member() string { return facts[k].member }

// Capability returns the server capability that announces the kind.
func (k Kind) Capability() string { return facts[k].capability }

// String returns the kind's name in the singular.
func (k Kind) String() string { return facts[k].label }

// named reports whether items have names that the relay may change. URIs stay
// as they are.
func (k Kind) named() bool { return k == Tools || k == Prompts }

// State says what becomes of an item.
type State uint8

// The states. Only Offered and Hidden items are listed and can be reached.
const (
	// Held: not judged yet, or not what people agreed to.
	Held State = iota
	// Offered: judged and listed.
	Offered
	// Hidden: listed without being judged, because the configuration says so.
	Hidden
	// Blocked: a verdict withheld it.
	Blocked
	// Duplicate: the same definition from an identical server is listed already.
	Duplicate
	// Failed: it cannot be offered, for a reason other than a verdict.
	Failed
)

var stateNames = [...]string{"held", "offered", "hidden-mode", "blocked", "duplicate", "failed"}

// String returns the state's name as commands print it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// listed reports whether clients see items in this state.
func (s State) listed() bool { return s == Offered || s == Hidden }

// Item is one definition of a server.
type Item struct {
	// Name is the tool's or prompt's name, or the URI or URI template, as the
	// server knows it. It is foreign text.
	Name string
	// Raw is the definition as it was judged.
	Raw   []byte
	State State
	// Reason says why the state is not Offered; the relay's own words.
	Reason string
	// ScanID is under which the audit record has the verdict.
	ScanID string
	// Mirrors are the tool's arguments that modern clients and servers repeat in
	// HTTP headers. Install sets them.
	Mirrors []protocol.Mirror
	// Changed says that nobody approved this form, though it is offered.
	Changed bool
	// Repeatable says that a tool is annotated to change nothing and to do the
	// same each time, and that this is not a form that nobody approved. Install
	// sets it.
	Repeatable bool
}

// NewItem reads one element of a catalogue. The item is Held, or Failed when it
// is not a definition.
func NewItem(k Kind, raw []byte) Item {
	it := Item{Raw: raw}
	if len(raw) == 0 || raw[0] != '{' {
		it.State, it.Reason = Failed, "not an object"
		return it
	}
	value, ok := jsonrpc.Member(raw, facts[k].key)
	if ok {
		it.Name, ok = jsonrpc.Unquote(value)
	}
	switch {
	case !ok || it.Name == "":
		it.State, it.Reason = Failed, "no "+facts[k].key
	case len(it.Name) > maxForeignName:
		it.State, it.Reason = Failed, fmt.Sprintf("%s longer than %d bytes", facts[k].key, maxForeignName)
	}
	return it
}

// maxForeignName bounds names and URIs that servers choose.
const maxForeignName = 4096
