package scan

import (
	"context"
	"log/slog"
	"time"

	"github.com/mcp-relay/relay/internal/media"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// headStart is how long the scanners of the last stage have to themselves before
// a request is sent: a verdict that comes at once, of a local scanner or out of
// the cache, costs no risk.
const headStart = 5 * time.Millisecond

// JudgeEarly is Judge for a request that may be sent while the scanners of the
// last stage work. Then send gets it, at most once and before then runs; it
// reports whether it was sent, and waits for nobody. Everything but that stage
// is settled before: the relay's own rules, earlier stages, and parts that
// nobody can look into. What was sent can be redacted no more, so a verdict that
// asks for that blocks. The decision says whether what the server answers may
// be used, and the records that the request was sent before it.
//
// Content that is no request is judged as by Judge.
func (g *Gate) JudgeEarly(ctx context.Context, s *Subject, send func(peer.Cleared) bool, then func(Decision)) {
	if s.Content.Phase != verdict.Request || s.Part != peer.Params {
		send = nil
	}
	g.judge(ctx, s, send, then)
}

// hearLast asks the last stage, and meanwhile sends the message if it may be
// sent early.
func (d *deliberation) hearLast(stage []seat, why string) []opinion {
	if !d.hasty() {
		return d.askAll(stage, why)
	}
	done := make(chan struct{})
	timer := time.AfterFunc(headStart, func() {
		defer close(done)
		if d.ctx.Err() == nil {
			d.early = d.send(clearance(d.s.Part, d.s.Content.Origin.Method, d.s.Content.Data))
		}
	})
	opinions := d.askAll(stage, why)
	if !timer.Stop() {
		<-done
	}
	return opinions
}

// hasty reports whether the message may be sent before the last stage has judged.
// Where another server gave out a secret, the request is not: it takes a
// scanner's word to see that it holds it.
func (d *deliberation) hasty() bool {
	if d.send == nil || d.changed || d.asText {
		return false
	}
	o := &d.s.Content.Origin
	if d.gate.flow.foreign(o.Principal, o.Server) {
		return false
	}
	parts, err := media.Parts(d.s.Content.Data)
	return err == nil && len(parts) == 0
}

// tooLate makes a block of what asks to change a message that was sent.
func (d *deliberation) tooLate(o *opinion) {
	if d.early && o.failure == nil && o.counts == verdict.Redact {
		o.counts = verdict.Block
	}
}

// logSent tells the person who runs the relay that a refused message was sent.
func (d *deliberation) logSent() {
	d.gate.log.Warn("the server had the request before its verdict, as relay.overlap allows; its answer is dropped",
		slog.String("scan_id", d.id), slog.String("server", d.s.Content.Origin.Server),
		slog.String("target", d.s.Content.Origin.Target))
}

// release waits until what passed may leave, where that is not for its own
// verdict alone to say.
func (d *deliberation) release(decision Decision) Decision {
	if decision.Outcome != Passed || d.s.Until == nil {
		return decision
	}
	start := time.Now()
	may := d.s.Until()
	d.waited += time.Since(start)
	if !may {
		return Decision{Outcome: Unavailable, ScanID: d.id}
	}
	return decision
}
