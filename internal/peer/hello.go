package peer

import "errors"

// Hello says who connects.
type Hello struct {
	Session   string // an unguessable name, made by the front; not what the client shows
	Principal string
	// Conversation is what sessions of one client share that belong together;
	// empty: the session is one of its own.
	Conversation string
	// Stateless: one request of the modern era over HTTP. The session ends with
	// its answer.
	Stateless bool
	// Mirrored holds the decoded Mcp-Param headers, by their names in lower case
	// and without the prefix. It is nil when the transport has no headers.
	Mirrored map[string]string
}

// ErrTooMany says that a principal has as much of something as it may have.
var ErrTooMany = errors.New("too many at a time for this client")
