package front

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// conversations gives the requests of a client of the modern era one name, by
// which scanners and records know that they belong together: the protocol has no
// sessions any more, and each request may come on a connection of its own. A
// client is known by its principal and by what it calls itself; after a while
// without a request a new conversation begins. Nothing but a name depends on it.
// It is safe for concurrent use.
type conversations struct {
	idle time.Duration

	mu   sync.Mutex
	open map[speaker]*conversation
}

// speaker is a client as far as it can be told from others.
type speaker struct{ principal, client, version string }

type conversation struct {
	name string // unguessable
	last time.Time
}

// maxConversations bounds how many are known. Over it the one that was silent
// longest is forgotten.
const maxConversations = 1024

// maxCalled bounds what a client may call itself, in bytes, to be told from others
// that begin like it.
const maxCalled = 128

// of returns the name of the conversation that a request belongs to.
func (c *conversations) of(principal string, params []byte) string {
	who := speaker{principal: principal}
	if meta, modern, err := protocol.MetaOf(params); modern && err == nil {
		who.client, who.version = called(meta.Info, "name"), called(meta.Info, "version")
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.open[who]
	if known == nil || now.Sub(known.last) > c.idle {
		if known == nil && len(c.open) >= maxConversations {
			c.forget()
		}
		known = &conversation{name: rand.Text()}
		if c.open == nil {
			c.open = map[speaker]*conversation{}
		}
		c.open[who] = known
	}
	known.last = now
	return known.name
}

// forget makes room. c.mu is held.
func (c *conversations) forget() {
	var oldest speaker
	var victim *conversation
	for who, known := range c.open {
		if victim == nil || known.last.Before(victim.last) {
			oldest, victim = who, known
		}
	}
	delete(c.open, oldest)
}

func called(info []byte, member string) string {
	if len(info) == 0 {
		return ""
	}
	s := jsonrpc.StringMember(info, member)
	return s[:min(len(s), maxCalled)]
}
