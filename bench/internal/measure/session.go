package measure

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/mcp-relay/relay/bench/internal/client"
	"github.com/mcp-relay/relay/bench/internal/jscan"
)

// errFewTools means that a relay has not found all its servers' tools yet.
var errFewTools = errors.New("tools are missing")

// Session is one connected client and the tools it found.
type Session struct {
	c     *client.Client
	tools map[string][]string // base tool -> listed names
	count int                 // tools listed at the start
	lanes int
}

var seq atomic.Int64 // request ids and payload seeds are unique per process

// discover lists the tools of a connected client. It fails with errFewTools when
// fewer than minTools are there, which is how a relay that still starts is told.
func discover(c *client.Client, lanes, minTools int) (*Session, error) {
	s := &Session{c: c, tools: map[string][]string{}, lanes: lanes}
	n, _, err := c.List(0, 100+seq.Add(1), func(raw []byte) {
		name, _ := jscan.String(jscan.Get(raw, "name"))
		for _, base := range []string{"echo", "blob", "sleep"} {
			if client.FindTool(name, base) {
				s.tools[base] = append(s.tools[base], name)
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("tools/list: %w", err)
	}
	if n < minTools {
		return nil, fmt.Errorf("%w: %d of %d", errFewTools, n, minTools)
	}
	s.count = n
	return s, nil
}
