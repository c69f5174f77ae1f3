package relay

import (
	"context"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// heard is the relay's own subscription at a modern server.
type heard struct {
	*receiver

	acknowledged chan struct{} // one element when the server has acknowledged it
	ended        chan peer.Reply
}

var _ peer.Caller = (*heard)(nil)

// Answered implements peer.Caller.
func (h *heard) Answered(r peer.Reply) { h.ended <- r }

// Notification implements peer.Caller.
func (h *heard) Notification(m jsonrpc.Message) {
	if m.Method == protocol.Acknowledged {
		wake(h.acknowledged)
		return
	}
	h.receiver.Notification(m)
}

// Pauses of keepListening.
const (
	// ackWait is how long the subscription before lasts beside a new one.
	ackWait   = 2 * time.Second
	minListen = time.Second
	maxListen = 30 * time.Second
)

// keepListening keeps a subscription open at a modern server for as long as the
// connection lasts: to its lists, and to the resources that clients watch.
func (s *server) keepListening(ctx context.Context, l *link) {
	var before peer.Call
	for pause := minListen; ctx.Err() == nil; {
		h := &heard{receiver: l.receiver, acknowledged: make(chan struct{}, 1), ended: make(chan peer.Reply, 1)}
		filter := protocol.Filter{Tools: true, Prompts: true, Resources: true, URIs: s.relay.hub.of(s.cfg.Name)}
		for _, id := range s.relay.hub.tasks() {
			if s.relay.tasks.principals(id, s) != nil {
				filter.Tasks = append(filter.Tasks, id)
			}
		}
		params := append(filter.Append([]byte(`{"notifications":`)), '}')
		start := time.Now()
		call := l.conn.Call(s.relay.author(peer.Params, protocol.Listen, l.ownParams(params)), h)
		if before != nil {
			select {
			case <-h.acknowledged:
			case <-time.After(ackWait):
			case <-ctx.Done():
			case <-l.conn.Done():
			}
			s.unlisten(l, before)
		}
		before = call
		select {
		case reply := <-h.ended:
			before = nil
			if reply.Error != nil && methodNotFound(reply.Error) {
				return // it announces nothing
			}
			if time.Since(start) > maxListen {
				pause = minListen
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			case <-l.conn.Done():
				return
			}
			pause = min(2*pause, maxListen)
			l.again() // what changed meanwhile was not heard
		case <-l.relisten:
		case <-ctx.Done():
		case <-l.conn.Done():
			return
		}
	}
}

// unlisten ends one of the relay's own subscriptions.
func (s *server) unlisten(l *link, call peer.Call) {
	call.Abandon(errCancelled)
	_ = l.conn.Notify(s.relay.cancelled(call.ID()))
}
