package scanner

// Phase says where content was taken.
type Phase uint8

// The phases. The zero value is never given to a scanner.
const (
	PhaseUnspecified Phase = iota
	// PhaseDefinition is a catalogue: {"tools":[...]} or its likes.
	PhaseDefinition
	// PhaseRequest is what a client asks of a server.
	PhaseRequest
	// PhaseResponse is what a server answers. Content.Request is the question.
	PhaseResponse
	// PhaseServerRequest is what a server asks of a client.
	PhaseServerRequest
	// PhaseNotification is a message that nobody answers, in either direction.
	PhaseNotification
)

// String returns the phase's name as the relay's configuration spells it.
func (p Phase) String() string {
	switch p {
	case PhaseDefinition:
		return "definition"
	case PhaseRequest:
		return "request"
	case PhaseResponse:
		return "response"
	case PhaseServerRequest:
		return "server_request"
	case PhaseNotification:
		return "notification"
	default:
		return "unspecified"
	}
}

// Kind says how the bytes of content are to be read.
type Kind uint8

// The kinds. The zero value is never given to a scanner.
const (
	KindUnspecified Kind = iota
	// KindJSON is one JSON text: valid UTF-8, no duplicate names.
	KindJSON
	// KindText is plain text, which may hold invalid UTF-8.
	KindText
	// KindBlob is bytes of another media type. It has no locations.
	KindBlob
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindJSON:
		return "json"
	case KindText:
		return "text"
	case KindBlob:
		return "blob"
	default:
		return "unspecified"
	}
}

// Content is what one scan judges: the raw params, result, error or catalogue
// of one MCP message. Data and Request must not be changed, nor kept after Scan
// has returned.
type Content struct {
	Phase Phase
	Kind  Kind
	// MIME is the media type in lower case when Kind does not tell it. It is the
	// sender's claim and may be wrong.
	MIME string
	// Data are the bytes to judge, at most 8 MiB, possibly none.
	Data   []byte
	Origin Origin
	// Request holds, in PhaseResponse, the params of the request that is
	// answered. It is context and was judged on its own: findings are about Data.
	// It is cut at 1 MiB, then RequestTruncated is set and it is not valid JSON.
	Request          []byte
	RequestTruncated bool
	// Inventory are, in PhaseDefinition and for a scanner whose Info says
	// UsesInventory, the tools of other servers: at most 500, sorted by server and
	// name. It is context: findings are about Data. It must not be changed.
	Inventory []Offered
}

// Offered is a tool that another server offers. Name is foreign text.
type Offered struct {
	Server string // name of the MCP server in the relay's configuration
	Name   string // of the tool, as that server knows it
}

// Origin says where content came from and where it goes. Every field may be
// empty. Client and Target are foreign text: quote them before they reach a log
// or terminal.
type Origin struct {
	Session         string // the relay's id of the client's session
	Principal       string // who the client is, as the relay knows it
	Client          string // what the client calls itself; not an identity
	Server          string // name of the MCP server in the relay's configuration
	Method          string // MCP method, for example tools/call
	Target          string // name of the tool or prompt, or URI of the resource
	ProtocolVersion string // MCP protocol version in use
	Call            string // the relay's id of the exchange; a request and its response share it
}
