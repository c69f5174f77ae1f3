package front

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"sync"

	"github.com/mcp-relay/relay/internal/peer"
)

// Drain takes nothing new, ends the streams for what belongs to no request, and
// returns when every request was answered, or with the context's cause when ctx
// ends before that. Meanwhile clients of sessions can answer what they were
// asked, because requests may wait for it, and subscriptions get their last
// message.
func (h *Handler) Drain(ctx context.Context) error {
	h.drain()
	h.mu.Lock()
	clients := maps.Clone(h.clients)
	h.mu.Unlock()
	var (
		drained sync.WaitGroup
		first   sync.Once
		err     error
	)
	for client, end := range clients {
		drained.Go(func() {
			if cause := client.Drain(ctx); cause != nil {
				first.Do(func() { err = cause })
			}
			end()
		})
	}
	drained.Wait()
	return err
}

// Close ends all sessions and what they asked for.
func (h *Handler) Close() {
	h.drain()
	h.endAll()
	h.stop()
}

// stopping reports whether nothing new is taken any more. It answers then.
func (h *Handler) stopping(w http.ResponseWriter) bool {
	select {
	case <-h.draining:
		turnAway(w, http.StatusServiceUnavailable)
		return true
	default:
		return false
	}
}

// connect starts a session at the host, or answers that it could not. When the
// relay stops, end is called after the client was drained: it ends a stream that
// has no end of its own.
func (h *Handler) connect(
	ctx context.Context, w http.ResponseWriter, hello peer.Hello, sink peer.Sink, end func(),
) (Client, bool) {
	client, err := h.opts.Host.Connect(ctx, hello, sink)
	if errors.Is(err, peer.ErrTooMany) && !hello.Stateless && h.makeRoom(hello.Principal) {
		client, err = h.opts.Host.Connect(ctx, hello, sink)
	}
	switch {
	case errors.Is(err, peer.ErrTooMany):
		h.shy.refused("the principal has as many clients as it may have")
		refuse(w, http.StatusTooManyRequests)
		return nil, false
	case err != nil:
		h.log.Warn("a client could not be connected", slog.Any("error", err))
		refuse(w, http.StatusServiceUnavailable)
		return nil, false
	}
	h.mu.Lock()
	h.clients[client] = end
	h.mu.Unlock()
	if h.stopping(w) { // else whoever stops the relay has seen the client
		h.disconnect(client)
		return nil, false
	}
	return client, true
}

// disconnect ends what connect started.
func (h *Handler) disconnect(client Client) {
	h.mu.Lock()
	delete(h.clients, client)
	h.mu.Unlock()
	client.Close()
}
