package jsonrpc

import "bytes"

// Kind says what a message is.
type Kind uint8

// The kinds. The zero value is not a message.
const (
	Invalid Kind = iota
	Request
	Notification
	Response
)

// Message is one JSON-RPC message: its envelope decoded, the rest raw. Its
// slices alias Frame and must not be changed.
type Message struct {
	ID     ID // zero for a notification, and for an error that answers no known request
	Method string
	// Raw JSON, nil when absent. Params is an object or an array, Error is an
	// object, Result is any value.
	Params, Result, Error []byte
	// Frame is what was parsed. Members beside the above are in it and nowhere
	// else.
	Frame []byte
}

// Kind returns what m is.
func (m *Message) Kind() Kind {
	switch {
	case m.Method != "" && !m.ID.IsZero():
		return Request
	case m.Method != "":
		return Notification
	case m.Result != nil || m.Error != nil:
		return Response
	default:
		return Invalid
	}
}

// bare is the shape of an envelope of which nothing else is known.
var bare = &Shape{Members: map[string]*Shape{
	"jsonrpc": nil,
	"id":      nil,
	"method":  nil,
	"params":  nil,
	"result":  nil,
	"error":   {Members: map[string]*Shape{"code": nil, "message": nil, "data": nil}},
}}

// envelope collects the raw values of the members of a message.
type envelope struct {
	version, id, method, params, result, err []byte
}

func (e *envelope) member(key, value []byte) {
	switch string(key) {
	case "jsonrpc":
		e.version = value
	case "id":
		e.id = value
	case "method":
		e.method = value
	case "params":
		e.params = value
	case "result":
		e.result = value
	case "error":
		e.err = value
	}
}

// Parse reads one message and checks all of it: see [Validate]. The shape is
// that of the whole message; nil stands for the envelope's own members and
// nothing below params and result. Members that JSON-RPC does not name are
// accepted, and are found in Frame only.
//
// The error is a *ParseError. The message then still carries its ID when that
// could be read without doubt, so that its sender can be told, and nothing else.
func Parse(frame []byte, shape *Shape) (Message, error) {
	if shape == nil {
		shape = bare
	}
	var names [inlineNames]name
	s := scanner{b: frame}
	s.names.list = names[:0]
	var env envelope
	var reason Reason
	switch s.space() {
	case '{':
		reason = s.object(0, shape, &env)
	case '[':
		return Message{Frame: frame}, &ParseError{Reason: Batch, Offset: s.pos}
	default:
		// A value of another type is not a message; find out whether it is one.
		if reason = s.value(0, nil); reason == 0 {
			reason = BadEnvelope
		}
	}
	if reason == 0 {
		reason = s.end()
	}
	if reason != 0 {
		return Message{ID: findID(frame), Frame: frame}, &ParseError{Reason: reason, Offset: s.pos}
	}
	m, ok := env.message()
	if !ok {
		return Message{ID: m.ID, Frame: frame}, &ParseError{Reason: BadEnvelope}
	}
	m.Frame = frame
	return m, nil
}

// message makes the message of valid JSON. When it is none the ID is still set
// if there is one.
func (e *envelope) message() (Message, bool) {
	m := Message{Params: e.params, Result: e.result, Error: e.err}
	nullID := len(e.id) > 0 && e.id[0] == 'n'
	if len(e.id) > 0 && (e.id[0] == '"' || e.id[0] == '-' || isDigit(e.id[0])) {
		m.ID = idOf(e.id)
	} else if e.id != nil && !nullID {
		return m, false
	}
	if string(e.version) != `"2.0"` {
		return m, false
	}
	if e.method != nil {
		method, ok := methodName(e.method)
		m.Method = method
		object := e.params == nil || e.params[0] == '{' || e.params[0] == '['
		return m, ok && object && !nullID && e.result == nil && e.err == nil
	}
	if e.params != nil || (e.result == nil) == (e.err == nil) {
		return m, false
	}
	if e.result != nil {
		return m, !m.ID.IsZero()
	}
	// An error without an id answers a request that could not be read.
	return m, e.err[0] == '{'
}

// methodName decodes a method. It does not allocate for the most frequent ones.
func methodName(raw []byte) (string, bool) {
	switch string(raw) {
	case `"tools/call"`:
		return "tools/call", true
	case `"tools/list"`:
		return "tools/list", true
	case `"notifications/progress"`:
		return "notifications/progress", true
	case `"notifications/message"`:
		return "notifications/message", true
	case `"ping"`:
		return "ping", true
	}
	method, ok := Unquote(raw)
	return method, ok && method != ""
}

// findID looks for the id in a frame that was refused. It returns the zero ID
// when there is more than one.
func findID(frame []byte) ID {
	var id ID
	for key, value := range Members(bytes.TrimLeft(frame, " \t\r\n")) {
		if key != "id" {
			continue
		}
		if !id.IsZero() {
			return ID{}
		}
		id, _ = ParseID(value)
	}
	return id
}
