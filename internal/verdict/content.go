package verdict

// Kind says how the bytes of content are to be read.
type Kind uint8

// The kinds. The zero value is not a kind.
const (
	KindUnspecified Kind = iota
	// JSON is one JSON text; locations are JSON Pointers into it.
	JSON
	// Text is plain text; the only pointer is the empty one.
	Text
	// Blob is bytes of another media type; it has no locations.
	Blob
)

// Origin says where content came from and where it is going. It holds no
// credentials. Foreign strings in it (Client, Target) are not sanitised.
type Origin struct {
	Session         string // the relay's id of the session
	Principal       string // who the client is, as the relay knows it
	Client          string // what the client calls itself; not an identity
	Server          string // name of the downstream in the configuration
	Method          string // the message's method
	Target          string // tool or prompt name, or URI, as the server knows it
	ProtocolVersion string
	Call            string // the relay's id of the exchange; request and response share it
}

// Content is what one scan judges: the raw params, result, error or catalogue
// of one message. Data is not copied and must not be changed.
type Content struct {
	Phase  Phase
	Kind   Kind
	MIME   string // media type, when the kind alone does not tell
	Data   []byte
	Origin Origin
	// Request holds the params that a response answers, in the response phase.
	// It is context, not judged again, and may be cut: see RequestTruncated.
	Request          []byte
	RequestTruncated bool
	// Inventory are the tools of other servers, in the definition phase: each
	// once, sorted. It is context and the same for whoever judges; only scanners
	// that use it are given it.
	Inventory []Offered
}

// Offered is a tool that another server offers. Name is foreign text.
type Offered struct{ Server, Name string }
