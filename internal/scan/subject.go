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
	// Catalogue is the member that holds the items, in the definition phase.
	Catalogue string
}
