package relay

import (
	"context"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/session"
)

var changedMethod = [...]string{
	registry.Tools:     protocol.ToolsListChanged,
	registry.Prompts:   protocol.PromptsListChanged,
	registry.Resources: protocol.ResourcesListChanged,
	registry.Templates: protocol.ResourcesListChanged,
}

// list answers a list request with everything in one page, once every server
// is ready or has failed, or after the start timeout with what is ready then.
func (r *Relay) list(req *session.Request, k registry.Kind, params []byte) {
	if len(params) > 0 && params[0] == '{' {
		if raw, ok := jsonrpc.Member(params, "cursor"); ok && string(raw) != "null" && string(raw) != `""` {
			// There is one page, so no cursor was ever given out.
			r.answer(req, r.author(peer.Error, req.Method(), protocolError(protocol.CodeInvalidParams, "unknown cursor")))
			return
		}
	}
	if r.listable() {
		r.answerList(req, k)
		return
	}
	go func() {
		r.waitUntil(req.Context(), r.listable)
		r.answerList(req, k)
	}()
}

func (r *Relay) answerList(req *session.Request, k registry.Kind) {
	page, _ := r.registry.Page(k, protocol.Legacy, "")
	r.answer(req, r.author(peer.Result, req.Method(), page.Body))
}

// listable reports whether a list waits for nobody any more.
func (r *Relay) listable() bool { return !r.starting() || r.settled() }

// starting reports whether lists still wait for servers that start.
func (r *Relay) starting() bool { return time.Since(r.started) < r.opts.StartTimeout }

// settled reports whether every server has been listed or has failed once.
func (r *Relay) settled() bool {
	for _, s := range r.servers {
		if !s.settled.Load() {
			return false
		}
	}
	return true
}

// Settle waits until every server has been listed or has failed once, or the
// start timeout has passed.
func (r *Relay) Settle(ctx context.Context) { r.waitUntil(ctx, r.settled) }

// waitUntil waits until cond holds, ctx ends or the start timeout has passed.
// cond is asked again whenever the state of a server changes.
func (r *Relay) waitUntil(ctx context.Context, cond func() bool) {
	timer := time.NewTimer(r.opts.StartTimeout)
	defer timer.Stop()
	for {
		changed := r.changes.next()
		if cond() {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			cond() // its last look is what the caller goes by
			return
		case <-ctx.Done():
			return
		}
	}
}
