package scan

import (
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Subject is one message, or one catalogue, that wants to leave.
type Subject struct {
	// Content is what is judged. Its Data is the raw JSON that leaves.
	Content verdict.Content
	// Part is which member of the message the data is.
	Part peer.Part
	// Hidden says that the configuration exempts the server from scanning. The
	// message is recorded all the same.
	Hidden bool
	// ToServer says that the content goes to the server, where the phase does not
	// say so: a notification of a client.
	ToServer bool
	// Catalogue is the member that holds the items when the content is a list
	// of which single items can be withheld: definitions, or notifications that
	// are judged together.
	Catalogue string
	// Until waits until something else was decided, and reports whether the
	// content may leave then. It is asked when the content's own verdict lets it
	// pass; nil: nothing else matters.
	Until func() bool
}

// toServer reports whether the content goes to the server.
func (s *Subject) toServer() bool { return s.ToServer || s.Content.Phase == verdict.Request }

// size returns how many bytes wait with the subject.
func (s *Subject) size() int { return len(s.Content.Data) + len(s.Content.Request) }
