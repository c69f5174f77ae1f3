package protocol

import "github.com/mcp-relay/relay/internal/jsonrpc"

// Capability is something that a client lets servers ask of it.
type Capability uint8

// The capabilities.
const (
	Sampling        Capability = iota // sampling
	ElicitForm                        // elicitation, form mode
	ElicitURL                         // elicitation, URL mode
	Roots                             // roots
	SamplingTools                     // sampling with tools
	SamplingContext                   // sampling with includeContext
)

// CapabilitySet is a set of capabilities. The zero value is empty.
type CapabilitySet uint8

// Capabilities makes a set.
func Capabilities(list ...Capability) CapabilitySet {
	var s CapabilitySet
	for _, c := range list {
		s |= 1 << c
	}
	return s
}

// AllCapabilities is the set of all.
const AllCapabilities CapabilitySet = 1<<(SamplingContext+1) - 1

// Has reports whether c is in the set.
func (s CapabilitySet) Has(c Capability) bool { return s>>c&1 == 1 }

// CapabilitiesOf reads the capabilities that a client declares: a raw JSON
// object. Members that are not objects are not declared; elicitation without a
// mode means form mode (MCP 2025-11-25, elicitation, capabilities).
func CapabilitiesOf(raw []byte) CapabilitySet {
	var list []Capability
	if sampling, ok := jsonrpc.ObjectMember(raw, "sampling"); ok {
		list = append(list, Sampling)
		if _, ok := jsonrpc.ObjectMember(sampling, "tools"); ok {
			list = append(list, SamplingTools)
		}
		if _, ok := jsonrpc.ObjectMember(sampling, "context"); ok {
			list = append(list, SamplingContext)
		}
	}
	if elicitation, ok := jsonrpc.ObjectMember(raw, "elicitation"); ok {
		_, form := jsonrpc.ObjectMember(elicitation, "form")
		_, url := jsonrpc.ObjectMember(elicitation, "url")
		if url {
			list = append(list, ElicitURL)
		}
		if form || !url {
			list = append(list, ElicitForm)
		}
	}
	if _, ok := jsonrpc.ObjectMember(raw, "roots"); ok {
		list = append(list, Roots)
	}
	return Capabilities(list...)
}

// Allows reports whether a server may make this request to a client that
// declared the set. Methods that need no capability are allowed. includeContext
// does not count: servers should not, but may, use it undeclared.
func (s CapabilitySet) Allows(method string, params []byte) bool {
	_, ok := s.missing(method, params)
	return ok
}

// Missing returns what an error for a missing capability says in
// data.requiredCapabilities, as raw JSON; nil when the request is allowed.
func (s CapabilitySet) Missing(method string, params []byte) []byte {
	missing, ok := s.missing(method, params)
	if ok {
		return nil
	}
	return []byte(missing)
}

func (s CapabilitySet) missing(method string, params []byte) (object string, ok bool) {
	switch method {
	case CreateMessage:
		if !s.Has(Sampling) {
			return `{"sampling":{}}`, false
		}
		_, tools := jsonrpc.Member(params, "tools")
		_, choice := jsonrpc.Member(params, "toolChoice")
		return `{"sampling":{"tools":{}}}`, s.Has(SamplingTools) || !tools && !choice
	case Elicit:
		mode, found := jsonrpc.Member(params, "mode")
		if name, _ := jsonrpc.Unquote(mode); !found || name == "form" {
			return `{"elicitation":{"form":{}}}`, s.Has(ElicitForm)
		} else if name == "url" {
			return `{"elicitation":{"url":{}}}`, s.Has(ElicitURL)
		}
		return `{"elicitation":{}}`, false // a mode that nobody can have declared
	case ListRoots:
		return `{"roots":{}}`, s.Has(Roots)
	default:
		return "", true
	}
}

// Restrict returns a client's capabilities without those that are not allowed.
// Other bytes are unchanged. What the legacy era says of tasks for such requests
// goes with them.
func Restrict(capabilities []byte, allowed CapabilitySet) []byte {
	out := capabilities
	declared := CapabilitiesOf(out)
	if !allowed.Has(Roots) {
		out = withoutMember(out, "roots")
	}
	if !allowed.Has(Sampling) {
		out = withoutMember(withoutNested(out, "tasks", "requests", "sampling"), "sampling")
	}
	if !allowed.Has(SamplingTools) {
		out = withoutNested(out, "sampling", "tools")
	}
	if !allowed.Has(SamplingContext) {
		out = withoutNested(out, "sampling", "context")
	}
	form := declared.Has(ElicitForm) && allowed.Has(ElicitForm)
	url := declared.Has(ElicitURL) && allowed.Has(ElicitURL)
	switch {
	case allowed.Has(ElicitForm) && allowed.Has(ElicitURL):
		return out
	case !form && !url:
		// An empty object would mean form mode.
		return withoutMember(withoutNested(out, "tasks", "requests", "elicitation"), "elicitation")
	case !form:
		return withoutNested(out, "elicitation", "form")
	case !url:
		return withoutNested(out, "elicitation", "url")
	default:
		return out
	}
}

// withoutNested removes a member of the object that is the member called name,
// or that the further names lead to.
func withoutNested(object []byte, name string, names ...string) []byte {
	if len(names) == 0 {
		return withoutMember(object, name)
	}
	inner, ok := jsonrpc.ObjectMember(object, name)
	if !ok {
		return object
	}
	stripped := withoutNested(inner, names[0], names[1:]...)
	if len(stripped) == len(inner) {
		return object
	}
	return jsonrpc.SetMember(object, name, stripped)
}
