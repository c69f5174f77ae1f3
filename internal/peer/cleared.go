package peer

// Part says which member of a message the bytes of a Cleared are.
type Part uint8

// The parts. The zero value is not a part.
const (
	NoPart Part = iota
	Params
	Result
	Error
)

// Cleared is content that may leave the relay: it was judged, or the relay
// authored it, or the gate's table says that its kind of message carries no
// content. The writers of both sides accept nothing else.
//
// The zero Cleared is not valid and writers refuse it.
type Cleared struct {
	part   Part
	method string
	body   []byte
}

// Clear makes a Cleared. Only the gate calls it: a test over the syntax tree of
// the whole module proves that there is one call.
func Clear(part Part, method string, body []byte) Cleared {
	return Cleared{part: part, method: method, body: body}
}

// Valid reports whether the gate made c.
func (c Cleared) Valid() bool { return c.part != NoPart }

// Part returns which member the body is.
func (c Cleared) Part() Part { return c.part }

// Method returns the method of the request or notification, or, for a result
// or an error, of the request that it answers.
func (c Cleared) Method() string { return c.method }

// Body returns the raw JSON that leaves. It must not be changed. It is nil for
// a request or notification without params.
func (c Cleared) Body() []byte { return c.body }
