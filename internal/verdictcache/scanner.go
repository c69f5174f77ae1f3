package verdictcache

import (
	"context"
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Judge judges content. The error is always a *verdict.Failure.
type Judge interface {
	Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error)
}

// Scope says which verdicts are kept.
type Scope uint8

// The scopes.
const (
	Nothing Scope = iota
	Definitions
	Everything
)

// Subject is what is known of a scanner.
type Subject interface {
	// Known returns what its verdicts depend on and which of them to keep. ok is
	// false as long as the scanner was never ready.
	Known() (id Identity, scope Scope, ok bool)
	// Await waits until more may be known, or ctx ends.
	Await(ctx context.Context)
}

// Scanner gives verdicts that its store has and asks the scanner for others.
// Content that is just being judged is not given to the scanner again: who
// brings it waits for the verdict. It is safe for concurrent use.
type Scanner struct {
	inner   Judge
	subject Subject
	store   *Store
	limit   time.Duration
	flights flights
}

var _ Judge = (*Scanner)(nil)

// New returns a scanner around another. limit is how long a scan of it may take,
// waiting included.
func New(inner Judge, subject Subject, store *Store, limit time.Duration) *Scanner {
	return &Scanner{inner: inner, subject: subject, store: store, limit: limit}
}

// Scan returns an earlier verdict on the same content, marked so, or a new one.
func (s *Scanner) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	start := time.Now()
	id, scope, ok := s.subject.Known()
	if !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, start.Add(s.limit))
		defer cancel()
		s.subject.Await(ctx)
		id, scope, ok = s.subject.Known()
	}
	if !ok || scope == Nothing || scope == Definitions && c.Phase != verdict.Definition {
		return s.inner.Scan(ctx, c) //nolint:wrapcheck // it is a *verdict.Failure
	}
	p := partsOf(&id, &c)
	key := p.sum()
	for {
		if v, ok := s.store.get(key, &c); ok {
			return again(v), nil
		}
		fl, first := s.flights.board(key)
		if first {
			return s.fly(ctx, key, &id, fl, &c)
		}
		if f := fl.wait(ctx, start.Add(s.limit)); f != nil {
			return verdict.Verdict{}, f
		}
		if fl.gone {
			continue // it ended with who had asked for it
		}
		if fl.err != nil {
			return verdict.Verdict{}, fl.err
		}
		return again(fl.verdict), nil
	}
}

// fly asks the scanner, for all who wait.
func (s *Scanner) fly(ctx context.Context, key Sum, before *Identity, fl *flight, c *verdict.Content) (verdict.Verdict, error) {
	fl.gone = true // should the scan panic
	defer s.flights.land(key, fl)
	fl.verdict, fl.err = s.inner.Scan(ctx, *c)
	fl.gone = fl.err != nil && ctx.Err() != nil
	if fl.err == nil && fl.verdict.Action.Valid() {
		// Another program, or another configuration, may have answered.
		if after, _, ok := s.subject.Known(); ok && after == *before {
			s.store.put(key, c, fl.verdict)
		}
	}
	return owned(fl.verdict), fl.err //nolint:wrapcheck // it is a *verdict.Failure
}

// again marks a verdict that was given before.
func again(v verdict.Verdict) verdict.Verdict {
	v = owned(v)
	v.Cached, v.ScannerTime = true, 0
	return v
}

// owned returns a verdict whose lists the caller may change.
func owned(v verdict.Verdict) verdict.Verdict {
	v.Findings = slices.Clone(v.Findings)
	for i := range v.Findings {
		if e := v.Findings[i].Edit; e != nil {
			edit := *e
			v.Findings[i].Edit = &edit
		}
	}
	v.Uninspected = slices.Clone(v.Uninspected)
	return v
}
