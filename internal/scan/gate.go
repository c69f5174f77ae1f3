package scan

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Recorder takes the record of each decision. An error means that the record
// was not kept and that the policy is not to go on without one.
type Recorder interface {
	Write(r *audit.Record) error
}

// Options says with what a gate judges and where it says so.
type Options struct {
	Panel
	Recorder Recorder
	Log      *slog.Logger
}

// Gate judges what wants to leave. Create it with New and end it with Close;
// it is safe for concurrent use.
type Gate struct {
	panel     atomic.Pointer[panel]
	audit     Recorder
	log       *slog.Logger
	removed   atomic.Int64
	observers sync.WaitGroup
	crew      *crew
	hold      hold
	flow      *flowMemory
}

// New returns a gate.
func New(o Options) *Gate {
	g := &Gate{audit: o.Recorder, log: o.Log, crew: newCrew(), flow: newFlowMemory()}
	g.panel.Store(newPanel(o.Panel))
	return g
}

// Swap has messages that come from now on judged by another panel. Those that
// are in judgement keep the old one; the channel is closed when none is left,
// and the old scanners may end.
func (g *Gate) Swap(next Panel) (idle <-chan struct{}) {
	old := g.panel.Swap(newPanel(next))
	old.retire()
	return old.idle
}

// current returns the panel, with the caller counted in.
func (g *Gate) current() *panel {
	for {
		if p := g.panel.Load(); p.enter() {
			return p
		}
	}
}

// Judge decides about s and hands the decision to then: at once, on the
// caller's goroutine, where nothing has to be waited for, else on another.
// then runs exactly once. When ctx ends while scanners work, the decision is
// Unavailable.
func (g *Gate) Judge(ctx context.Context, s *Subject, then func(Decision)) {
	g.judge(ctx, s, nil, then)
}

func (g *Gate) judge(ctx context.Context, s *Subject, send func(peer.Cleared) bool, then func(Decision)) {
	if !hasContent(s.Part, s.Content.Origin.Method, s.Content.Data) {
		then(g.pass(s, s.Content.Data, ""))
		return
	}
	p := g.current()
	seats, at := g.atOnce(p, s)
	if seats == nil {
		p.leave()
		then(at)
		return
	}
	d := &deliberation{gate: g, panel: p, seats: seats, s: s, ctx: ctx, send: send, then: then}
	g.crew.run(d.work)
}

// atOnce decides what needs no scanner. Otherwise it returns who is to be asked,
// and the content counts as held.
func (g *Gate) atOnce(p *panel, s *Subject) (*seating, Decision) {
	if rule, found := p.ruling(s); rule != nil {
		return nil, g.refuseBy(s, newScanID(), rule, found)
	}
	if s.Hidden {
		if s.Content.Phase == verdict.Response {
			// The record of the request stands for the exchange: no verdict is
			// lost, and an exempted server costs one record a call.
			return nil, g.pass(s, s.Content.Data, "")
		}
		return nil, g.passUnscanned(s, "", "hidden_mode")
	}
	o := &s.Content.Origin
	seats := p.seating(o.Server, o.Target, s.Content.Phase)
	if seats.nobody() {
		return nil, g.unjudged(p, seats, s, newScanID())
	}
	if !g.hold.take(o.Server, s.size()) {
		return nil, g.tooMuch(s)
	}
	return seats, Decision{}
}

// Covers reports whether an enforcing scanner judges a phase of a server, but
// for single targets.
func (g *Gate) Covers(server string, phase verdict.Phase) bool {
	p := g.current()
	defer p.leave()
	return p.seating(server, "", phase).covered
}

// Author clears a message that the relay itself wrote. Nothing in body may come
// from a server, a client, a scanner or a remote peer, but what was judged
// already, and names from the registry.
func (g *Gate) Author(part peer.Part, method string, body []byte) peer.Cleared {
	return clearance(part, method, body)
}

// Removed returns how many notifications lost their text because no scanner
// covers them.
func (g *Gate) Removed() int64 { return g.removed.Load() }

// Close waits for observing scanners that still work, so that their records
// are complete, and ends what the gate keeps ready. It may still be used.
func (g *Gate) Close() {
	g.observers.Wait()
	g.crew.dismiss()
}

// clearance is the only place where content becomes something that a writer
// accepts.
func clearance(part peer.Part, method string, body []byte) peer.Cleared {
	return peer.Clear(part, method, body)
}

func (g *Gate) pass(s *Subject, data []byte, scanID string) Decision {
	return Decision{
		Outcome: Passed, ScanID: scanID,
		Cleared: clearance(s.Part, s.Content.Origin.Method, data),
	}
}

// passUnscanned lets content pass that the configuration exempts, and says so
// in the audit record. id is under which observers record it; else empty.
func (g *Gate) passUnscanned(s *Subject, id, why string) Decision {
	rec := g.record(s, id)
	rec.Event, rec.Action, rec.Reason = audit.Decision, verdict.Allow, why
	if err := g.audit.Write(&rec); err != nil {
		return Decision{Outcome: Unavailable}
	}
	return g.pass(s, s.Content.Data, id)
}

// tooMuch holds content back because too much of the server's waits already.
func (g *Gate) tooMuch(s *Subject) Decision {
	rec := g.record(s, newScanID())
	rec.Event, rec.Action, rec.Reason = audit.Decision, verdict.Block, "too_much_at_once"
	_ = g.audit.Write(&rec) // blocked either way
	return Decision{Outcome: Unavailable, ScanID: rec.ScanID}
}

// unjudged decides about content that no enforcing scanner judges. id is under
// which observers record it.
func (g *Gate) unjudged(p *panel, seats *seating, s *Subject, id string) Decision {
	judged := ""
	if len(seats.observers) > 0 {
		judged = id // else there is nothing to look up
	}
	if seats.covered {
		return g.passUnscanned(s, judged, "override")
	}
	if p.unscanned[s.Content.Phase] {
		return g.passUnscanned(s, judged, "allow_unscanned")
	}
	rec := g.record(s, id)
	rec.Event, rec.Action, rec.Reason = audit.Decision, verdict.Block, "uncovered"
	if s.Content.Phase != verdict.Notification {
		_ = g.audit.Write(&rec) // blocked either way
		return Decision{Outcome: Unavailable, ScanID: id}
	}
	g.removed.Add(1)
	rest, ok := reduce(s.Content.Origin.Method, s.Content.Data)
	rec.Action = verdict.Redact
	if !ok {
		rec.Action = verdict.Block
	}
	if err := g.audit.Write(&rec); err != nil {
		return Decision{Outcome: Unavailable, ScanID: id}
	}
	if !ok {
		return Decision{Outcome: Dropped, ScanID: id}
	}
	return g.pass(s, rest, id)
}

func (g *Gate) record(s *Subject, id string) audit.Record {
	o := &s.Content.Origin
	return audit.Record{
		Time: time.Now(), ScanID: id, Session: o.Session, Principal: o.Principal, Client: o.Client,
		Server: o.Server, Method: o.Method, Target: o.Target, Call: o.Call, Phase: s.Content.Phase,
	}
}

// newScanID returns an id under which a person finds the decision in the audit
// record. It is unguessable, so that a server cannot name another's.
func newScanID() string { return rand.Text()[:20] }
