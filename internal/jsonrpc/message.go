package jsonrpc

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

// span is a range of bytes; no value has the zero span.
type span struct{ from, to int }

func (s span) of(frame []byte) []byte {
	if s.to == 0 {
		return nil
	}
	return frame[s.from:s.to:s.to]
}

// envelope collects where the values of a message's members are. It holds no
// slices: with them the scanner's names would have to be on the heap.
type envelope struct {
	version, id, method, params, result, err span
}

func (e *envelope) member(key []byte, value span) {
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
	s := newScanner(frame)
	defer s.free()
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
	m, ok := env.message(frame)
	if !ok {
		return Message{ID: m.ID, Frame: frame}, &ParseError{Reason: BadEnvelope}
	}
	return m, nil
}

// message makes the message of valid JSON. When it is none the ID is still set
// if there is one.
func (e *envelope) message(frame []byte) (Message, bool) {
	m := Message{
		Params: e.params.of(frame), Result: e.result.of(frame), Error: e.err.of(frame),
		Frame: frame,
	}
	id := e.id.of(frame)
	nullID := string(id) == "null"
	if id != nil && !nullID {
		if id[0] != '"' && id[0] != '-' && !isDigit(id[0]) {
			return m, false
		}
		m.ID = idOf(id)
	}
	if string(e.version.of(frame)) != `"2.0"` {
		return m, false
	}
	if method := e.method.of(frame); method != nil {
		var ok bool
		m.Method, ok = methodName(method)
		structured := len(m.Params) > 0 && (m.Params[0] == '{' || m.Params[0] == '[')
		return m, ok && (structured || m.Params == nil) && !nullID && m.Result == nil && m.Error == nil
	}
	switch {
	case m.Params != nil, (m.Result == nil) == (m.Error == nil):
		return m, false
	case m.Result != nil:
		return m, !m.ID.IsZero()
	default:
		// An error without an id answers a request that could not be read.
		return m, m.Error[0] == '{'
	}
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

// findID looks for the id in a frame that was refused, perhaps because its end
// is missing. It returns the zero ID when there is more than one.
func findID(frame []byte) ID {
	var id ID
	for c := newCursor(frame, '{'); c.next(); {
		if !c.named("id") || c.to == len(frame) { // more digits may have followed
			continue
		}
		if !id.IsZero() {
			return ID{}
		}
		id, _ = ParseID(frame[c.from:c.to])
	}
	return id
}
