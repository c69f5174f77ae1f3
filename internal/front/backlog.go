package front

import (
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/peer"
)

// backlog holds what belongs to no request until the client opens a stream for
// it.
type backlog struct {
	frames  [][]byte
	methods []string // of each frame
	size    int
	full    bool // something did not fit since it was taken last
}

// add keeps a message. It returns peer.ErrNoStream when there are too many. Of
// notifications that say nothing but that a list changed one is enough.
func (b *backlog) add(method string, frame []byte, l *limits) error {
	if strings.HasSuffix(method, "/list_changed") && slices.Contains(b.methods, method) {
		return nil
	}
	if len(b.frames) >= l.waitItems || b.size+len(frame) > l.waiting {
		b.full = true
		return peer.ErrNoStream
	}
	b.frames, b.methods = append(b.frames, frame), append(b.methods, method)
	b.size += len(frame)
	return nil
}

// take returns what is kept, and keeps it no more.
func (b *backlog) take() [][]byte {
	frames := b.frames
	*b = backlog{}
	return frames
}
