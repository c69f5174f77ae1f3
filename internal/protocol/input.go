package protocol

import (
	"errors"
	"maps"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// MaxInputRequests is how many requests one result may make.
const MaxInputRequests = 16

// InputRequest is a request that a server makes in a result (MCP 2026-07-28,
// multi round-trip requests). Params is raw JSON, nil when absent.
type InputRequest struct {
	Key, Method string
	Params      []byte
}

// InputResponse is a client's answer to the request of the same key: the raw
// result.
type InputResponse struct {
	Key    string
	Result []byte
}

// Input is what a server wants before it completes a request.
type Input struct {
	Requests []InputRequest
	// State is opaque and goes back as it is, where HasState.
	State    string
	HasState bool
}

// Why a result that wants input is not well formed.
var (
	errInputNothing = errors.New("a result that wants input has neither requests nor a state")
	errInputMany    = errors.New("a result wants too much input at a time")
	errInputRequest = errors.New("a result wants input with a request that MCP does not know, or that is not well formed")
	errInputState   = errors.New("the state of a result that wants input is not a string of Unicode text")
)

// InputRequired reads a result that wants input. ok says that the result is of
// that type; with an error it is, and must not be passed on: it is not well
// formed, or has more than MaxInputRequests requests.
func InputRequired(result []byte) (in Input, ok bool, err error) {
	if !isObject(result) || jsonrpc.StringMember(result, "resultType") != InputRequiredType {
		return Input{}, false, nil
	}
	if in.Requests, err = InputRequests(result); err != nil {
		return Input{}, true, err
	}
	if raw, found := jsonrpc.Member(result, "requestState"); found {
		in.HasState = true
		if in.State, ok = wholeText(raw); !ok {
			return Input{}, true, errInputState
		}
	}
	if len(in.Requests) == 0 && !in.HasState {
		return Input{}, true, errInputNothing
	}
	return in, true, nil
}

// InputRequests reads the member inputRequests of an object: of a result that
// wants input, or of a task of the extension that does. There may be none.
func InputRequests(object []byte) ([]InputRequest, error) {
	if !isObject(object) {
		return nil, nil
	}
	raw, found := jsonrpc.Member(object, "inputRequests")
	if !found {
		return nil, nil
	}
	if !isObject(raw) {
		return nil, errInputRequest
	}
	var requests []InputRequest
	for key, value := range jsonrpc.Members(raw) {
		if len(requests) == MaxInputRequests {
			return nil, errInputMany
		}
		r := InputRequest{Key: key}
		if !isObject(value) {
			return nil, errInputRequest
		}
		r.Method = jsonrpc.StringMember(value, "method")
		r.Params, found = jsonrpc.Member(value, "params")
		switch {
		case r.Method != Elicit && r.Method != CreateMessage && r.Method != ListRoots,
			found && !isObject(r.Params), !found && r.Method != ListRoots:
			return nil, errInputRequest
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// AppendInputRequired appends a result that wants input.
func AppendInputRequired(dst []byte, in Input) []byte {
	dst = append(dst, `{"resultType":"input_required"`...)
	if len(in.Requests) > 0 {
		dst = append(dst, `,"inputRequests":{`...)
		for i, r := range in.Requests {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(jsonrpc.AppendString(dst, r.Key), `:{"method":`...)
			dst = jsonrpc.AppendString(dst, r.Method)
			if r.Params != nil {
				dst = append(append(dst, `,"params":`...), r.Params...)
			}
			dst = append(dst, '}')
		}
		dst = append(dst, '}')
	}
	if in.HasState {
		dst = append(dst, `,"requestState":`...)
		dst = jsonrpc.AppendString(dst, in.State)
	}
	return append(dst, '}')
}

// WithInputRequired returns a result that wants input, with the params of its
// requests, by key, and its state replaced by those of in. Other bytes are
// unchanged.
func WithInputRequired(result []byte, in Input) []byte {
	requests, _ := jsonrpc.Member(result, "inputRequests")
	for _, r := range in.Requests {
		if request, found := jsonrpc.Member(requests, r.Key); found && r.Params != nil {
			requests = jsonrpc.SetMember(requests, r.Key, jsonrpc.SetMember(request, "params", r.Params))
		}
	}
	if requests != nil {
		result = jsonrpc.SetMember(result, "inputRequests", requests)
	}
	var state []byte
	if in.HasState {
		state = jsonrpc.AppendString(nil, in.State)
	}
	return setOrDelete(result, "requestState", state)
}

// InputResponses returns the raw answers that a request brings, by key. It
// reports false when there is no such object.
func InputResponses(params []byte) (map[string][]byte, bool) {
	if !isObject(params) {
		return nil, false
	}
	raw, found := jsonrpc.Member(params, "inputResponses")
	if !found || !isObject(raw) {
		return nil, false
	}
	return maps.Collect(jsonrpc.Members(raw)), true
}

// RequestState returns the state that a request brings back. It reports false
// when there is none, or none that is a string.
func RequestState(params []byte) (string, bool) {
	if !isObject(params) {
		return "", false
	}
	raw, found := jsonrpc.Member(params, "requestState")
	if !found {
		return "", false
	}
	return wholeText(raw)
}

// WithInput returns the params of a request that is made again: with these
// answers and this state, and with no others. Other bytes are unchanged.
func WithInput(params []byte, responses []InputResponse, state string, hasState bool) []byte {
	var answers, quoted []byte
	if len(responses) > 0 {
		answers = append(answers, '{')
		for i, r := range responses {
			if i > 0 {
				answers = append(answers, ',')
			}
			answers = append(jsonrpc.AppendString(answers, r.Key), ':')
			answers = append(answers, r.Result...)
		}
		answers = append(answers, '}')
	}
	if hasState {
		quoted = jsonrpc.AppendString(nil, state)
	}
	return setOrDelete(setOrDelete(params, "inputResponses", answers), "requestState", quoted)
}

// WithoutInput returns params without answers and state. Other bytes are
// unchanged.
func WithoutInput(params []byte) []byte {
	return withoutMember(withoutMember(params, "inputResponses"), "requestState")
}

// wholeText is jsonrpc.Unquote for strings that can be quoted again without
// loss: a lone surrogate cannot.
func wholeText(raw []byte) (string, bool) {
	text, ok := jsonrpc.Unquote(raw)
	if !ok || hasLoneSurrogate(raw) {
		return "", false
	}
	return text, true
}

// hasLoneSurrogate reports whether a valid JSON string has an escape for one half
// of a pair.
func hasLoneSurrogate(raw []byte) bool {
	const size = len(`\uXXXX`)
	first := false // the escape just before was a first half
	for i := 0; i < len(raw); {
		half := 0
		switch {
		case raw[i] != '\\':
			i++
		case i+size > len(raw) || raw[i+1] != 'u':
			i += 2
		default:
			if raw[i+2]|0x20 == 'd' { // D800 to DBFF and DC00 to DFFF
				switch raw[i+3] | 0x20 {
				case '8', '9', 'a', 'b':
					half = 1
				case 'c', 'd', 'e', 'f':
					half = 2
				}
			}
			i += size
		}
		if first != (half == 2) {
			return true
		}
		first = half == 1
	}
	return first
}
