package relay

import (
	"context"
	"time"

	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/session"
)

// listed has the kind that each list request is for.
var listed = map[string]registry.Kind{
	protocol.ToolsList:     registry.Tools,
	protocol.PromptsList:   registry.Prompts,
	protocol.ResourcesList: registry.Resources,
	protocol.TemplatesList: registry.Templates,
}

// list answers a list request with a page, once every server is ready or has
// failed, or after the start timeout with what is ready then.
func (r *Relay) list(req *session.Request, k registry.Kind, params []byte) {
	after, ok := r.position(req, params)
	if !ok {
		r.unknownCursor(req)
		return
	}
	if r.listable() {
		r.answerList(req, k, after)
		return
	}
	go func() {
		r.waitUntil(req.Context(), r.listable)
		r.answerList(req, k, after)
	}()
}

// cursorTTL is how long a cursor is good for.
const cursorTTL = time.Hour

// position opens the cursor of a list request: where the page begins.
func (r *Relay) position(req *session.Request, params []byte) (after string, ok bool) {
	if len(params) == 0 || params[0] != '{' {
		return "", true
	}
	raw, found := jsonrpc.Member(params, "cursor")
	if !found || string(raw) == "null" || string(raw) == `""` {
		return "", true
	}
	cursor, ok := jsonrpc.Unquote(raw)
	if !ok {
		return "", false
	}
	payload, err := r.sealer.Open(r.binding(bridge.Cursor, req, protocol.Target{}), cursor)
	return string(payload), err == nil
}

func (r *Relay) unknownCursor(req *session.Request) {
	r.answer(req, r.author(peer.Error, req.Method(), protocolError(protocol.CodeInvalidParams, "unknown cursor")))
}

func (r *Relay) answerList(req *session.Request, k registry.Kind, after string) {
	page, ok := r.registry.Page(k, eraOf(req.Modern()), after)
	if !ok {
		r.unknownCursor(req)
		return
	}
	body := page.Body
	if page.Next != "" {
		body = page.WithCursor(r.sealer.Seal(r.binding(bridge.Cursor, req, protocol.Target{}), []byte(page.Next), cursorTTL))
	}
	r.answer(req, r.author(peer.Result, req.Method(), body))
}

// listable reports whether a list waits for nobody any more.
func (r *Relay) listable() bool { return !r.starting() || r.settled() }

// starting reports whether lists still wait for servers that start.
func (r *Relay) starting() bool { return time.Since(r.started) < r.opts.StartTimeout }

// settled reports whether every server has been listed or has failed once.
func (r *Relay) settled() bool {
	for _, s := range r.servers() {
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
