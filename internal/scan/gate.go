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

// Gate judges what wants to leave. Create it with New and end it with Close;
// it is safe for concurrent use.
type Gate struct {
	members   []Member
	unscanned [verdict.Notification + 1]bool
	audit     Recorder
	log       *slog.Logger
	removed   atomic.Int64
	observers sync.WaitGroup
	crew      *crew
	hold      hold
}

// New returns a gate with the given scanners. allowUnscanned names the phases
// that may pass although no enforcing scanner covers them.
func New(members []Member, allowUnscanned []verdict.Phase, recorder Recorder, log *slog.Logger) *Gate {
	g := &Gate{members: members, audit: recorder, log: log, crew: newCrew()}
	for _, p := range allowUnscanned {
		g.unscanned[p] = true
	}
	return g
}

// Judge decides about s and hands the decision to then: at once, on the
// caller's goroutine, where nothing has to be waited for, else on another.
// then runs exactly once. When ctx ends while scanners work, the decision is
// Unavailable.
func (g *Gate) Judge(ctx context.Context, s *Subject, then func(Decision)) {
	if !hasContent(s.Part, s.Content.Origin.Method, s.Content.Data) {
		then(g.pass(s, s.Content.Data, ""))
		return
	}
	if s.Hidden {
		if s.Content.Phase == verdict.Response {
			// The record of the request stands for the exchange: no verdict is
			// lost, and an exempted server costs one record a call.
			then(g.pass(s, s.Content.Data, ""))
			return
		}
		then(g.passUnscanned(s, "hidden_mode"))
		return
	}
	var panel [maxPanel]*Member
	n, enforcing := 0, false
	for i := range g.members {
		m := &g.members[i]
		if n < maxPanel && m.Covers(s.Content.Origin.Server, s.Content.Phase) {
			panel[n] = m
			n++
			enforcing = enforcing || !m.Observe
		}
	}
	if n == 0 {
		then(g.uncovered(s, newScanID()))
		return
	}
	server, size := s.Content.Origin.Server, len(s.Content.Data)+len(s.Content.Request)
	if !g.hold.take(server, size) {
		then(g.tooMuch(s))
		return
	}
	g.crew.run(func() {
		d := g.deliberate(ctx, s, panel[:n], enforcing)
		g.hold.give(server, size)
		then(d)
	})
}

// maxPanel bounds how many scanners judge one message; the configuration is
// refused above it.
const maxPanel = 16

// Covers reports whether an enforcing scanner judges a phase of a server.
func (g *Gate) Covers(server string, phase verdict.Phase) bool {
	for i := range g.members {
		if m := &g.members[i]; !m.Observe && m.Covers(server, phase) {
			return true
		}
	}
	return false
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
// in the audit record.
func (g *Gate) passUnscanned(s *Subject, why string) Decision {
	rec := g.record(s, "") // nothing was judged, so there is nothing to look up
	rec.Event, rec.Action, rec.Reason = audit.Decision, verdict.Allow, why
	if err := g.audit.Write(&rec); err != nil {
		return Decision{Outcome: Unavailable}
	}
	return g.pass(s, s.Content.Data, "")
}

// tooMuch holds content back because too much of the server's waits already.
func (g *Gate) tooMuch(s *Subject) Decision {
	rec := g.record(s, newScanID())
	rec.Event, rec.Action, rec.Reason = audit.Decision, verdict.Block, "too_much_at_once"
	_ = g.audit.Write(&rec) // blocked either way
	return Decision{Outcome: Unavailable, ScanID: rec.ScanID}
}

// uncovered decides about content that no enforcing scanner judges. id is under
// which observers record it.
func (g *Gate) uncovered(s *Subject, id string) Decision {
	if g.unscanned[s.Content.Phase] {
		return g.passUnscanned(s, "allow_unscanned")
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
