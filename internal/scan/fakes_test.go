package scan

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

// witness is a scanner that keeps what it was asked.
type witness struct {
	says func(c verdict.Content) (verdict.Verdict, error)

	mu   sync.Mutex
	seen []string
}

func (w *witness) Scan(_ context.Context, c verdict.Content) (verdict.Verdict, error) {
	w.mu.Lock()
	w.seen = append(w.seen, string(c.Data))
	w.mu.Unlock()
	if w.says == nil {
		return verdict.Verdict{Action: verdict.Allow}, nil
	}
	return w.says(c)
}

func (w *witness) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// named is a member with a name, in a stage.
func named(name string, stage int, s Scanner, change func(*Policy)) Member {
	return member(s, func(p *Policy) {
		p.Name, p.Stage = name, func() (int, bool) { return stage, true }
		if change != nil {
			change(p)
		}
	})
}

// gateWith returns a gate with a panel, and what it records.
func gateWith(t *testing.T, p Panel) (*Gate, *records) {
	t.Helper()
	rec := &records{}
	g := gateOf(nil, rec)
	g.Swap(p)
	t.Cleanup(g.Close)
	return g, rec
}

func response(data string) *Subject {
	s := request(data)
	s.Part, s.Content.Phase = peer.Result, verdict.Response
	s.Content.Origin.Target = "read_file"
	return s
}

func catalogue(data string) *Subject {
	s := request(data)
	s.Content.Phase, s.Part, s.Catalogue = verdict.Definition, peer.Result, "tools"
	s.Content.Origin.Method = "tools/list"
	return s
}

// finds returns a verdict with findings at the given places.
func finds(action verdict.Action, severity verdict.Severity, pointers ...string) verdict.Verdict {
	v := verdict.Verdict{Action: action}
	for _, p := range pointers {
		f := verdict.Finding{Rule: "r" + p, Category: "secret.x", Severity: severity, Location: verdict.Location{Pointer: p}}
		if action == verdict.Redact {
			f.Edit = &verdict.Edit{}
		}
		v.Findings = append(v.Findings, f)
	}
	return v
}

// waits is a scanner that takes its time, as a real one does.
func waits(d time.Duration, v verdict.Verdict) scannerFunc {
	return func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
		select {
		case <-time.After(d):
			return v, nil
		case <-ctx.Done():
			return verdict.Verdict{}, &verdict.Failure{Reason: "timeout", Cause: verdict.CauseContent, Err: ctx.Err()}
		}
	}
}

// by returns the records of a scanner.
func (r *records) by(scanner string) []audit.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []audit.Record
	for i := range r.all {
		if r.all[i].Scanner == scanner {
			list = append(list, r.all[i])
		}
	}
	return list
}

// sole returns the one record of a scanner.
func (r *records) sole(t *testing.T, scanner string) audit.Record {
	t.Helper()
	list := r.by(scanner)
	if len(list) != 1 {
		t.Fatalf("%d records of %s, want one: %+v", len(list), scanner, list)
	}
	return list[0]
}

func excepts(rule, target, pointer string) Exception { return exception{rule, target, pointer} }

// exception excepts findings whose rule, target and place begin so.
type exception struct{ rule, target, pointer string }

func (e exception) Concerns(string, string, verdict.Phase) bool { return true }

func (e exception) Excepts(rule, target, pointer string, _ time.Time) bool {
	return strings.HasPrefix(rule, e.rule) && strings.HasPrefix(target, e.target) && strings.HasPrefix(pointer, e.pointer)
}

// awaits is a scanner that does not run: who asks waits for it in vain.
func awaits(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
	<-ctx.Done()
	return verdict.Verdict{}, &verdict.Failure{Reason: "unavailable", Cause: verdict.CauseOutage, Err: ctx.Err()}
}

// sleeps is a scanner that does not care for its time.
func sleeps(d time.Duration) scannerFunc {
	return func(context.Context, verdict.Content) (verdict.Verdict, error) {
		time.Sleep(d)
		return verdict.Verdict{Action: verdict.Allow}, nil
	}
}

// tellsDeadline notes whether a scan has one.
func tellsDeadline(has *bool) scannerFunc {
	return func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
		_, *has = ctx.Deadline()
		return verdict.Verdict{Action: verdict.Allow}, nil
	}
}
