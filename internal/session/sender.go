package session

// Sender is what a client says of itself: in the handshake of the legacy era,
// or in each request of the modern one. None of it is an identity.
type Sender struct {
	Name    string // what the client calls itself
	Version string // the protocol revision in use
	// Info and Capabilities are raw JSON objects; nil: none.
	Info, Capabilities []byte
	// LogLevel is from which level on the client wants log messages; empty: it
	// did not say.
	LogLevel string
}
