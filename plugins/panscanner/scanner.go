package panscanner

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/mcp-relay/relay/scanner"
)

// parallel is how many requests one content may have under way.
const parallel = 4

// airs is the scanner. Its state is swapped as a whole by Configure.
type airs struct {
	state atomic.Pointer[state]
}

type state struct {
	config  config
	client  *client
	budget  *budget
	flights flights
	greeted atomic.Bool // it was logged that the service answers
}

var (
	_ scanner.Scanner      = (*airs)(nil)
	_ scanner.BatchScanner = (*airs)(nil)
	_ scanner.Describer    = (*airs)(nil)
	_ scanner.Configurer   = (*airs)(nil)
	_ scanner.Drainer      = (*airs)(nil)
)

// New returns a scanner that waits for its configuration.
func New() scanner.Scanner { return &airs{} }

// Describe says what the scanner is. It needs neither configuration nor network.
func (*airs) Describe() scanner.Info {
	return scanner.Info{
		Name:          "panscanner",
		ConfigSchema:  configSchema,
		MaxConcurrent: maxConcurrent,
		NeedsNetwork:  true,
	}
}

// Configure checks the configuration and puts it into force. Scans that are
// under way finish with the one before.
func (s *airs) Configure(_ context.Context, raw []byte) error {
	c, problems := parseConfig(raw)
	if len(problems) > 0 {
		return problems
	}
	cl, problem := newClient(c)
	if problem != nil {
		return scanner.Problems{*problem}
	}
	if old := s.state.Swap(&state{config: c, client: cl, budget: newBudget(c.allowance)}); old != nil {
		old.client.close()
	}
	return nil
}

// Drain closes the connections that wait for further scans.
func (s *airs) Drain(context.Context) error {
	if st := s.state.Load(); st != nil {
		st.client.close()
	}
	return nil
}

// Scan asks Prisma AIRS about one content.
func (s *airs) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
	st := s.state.Load()
	if st == nil {
		return scanner.Verdict{}, unconfigured()
	}
	asked, failure := st.prepare(ctx, c)
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	return st.conclude(ctx, c.Origin, asked)
}

func unconfigured() *scanner.Error {
	return &scanner.Error{Reason: scanner.ReasonNotConfigured, Message: "panscanner waits for its configuration"}
}

// prepare decides what to ask about a content and charges it to its budget.
func (st *state) prepare(ctx context.Context, c scanner.Content) (batch, *scanner.Error) {
	if ctx.Err() != nil { // spare the work on content that may be large
		return batch{}, &scanner.Error{
			Reason: scanner.ReasonTimeout, ContentCaused: true, Message: "the scan had ended before it began",
		}
	}
	asked, failure := st.config.split(c)
	if failure != nil {
		return batch{}, failure
	}
	return asked, st.budget.spend(c.Origin, asked.pieces)
}

// conclude asks and judges.
func (st *state) conclude(ctx context.Context, o scanner.Origin, asked batch) (scanner.Verdict, error) {
	v, failure := st.ask(ctx, o, asked.pieces)
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	v.Uninspected = asked.uninspected
	return v, nil
}

// ask judges the pieces and sums up. The content passes only if every piece
// was judged and passes. Nothing to ask means that there is nothing to judge.
func (st *state) ask(ctx context.Context, o scanner.Origin, pieces []piece) (scanner.Verdict, *scanner.Error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		settled  atomic.Bool // what is still to be asked cannot change the outcome
		verdicts = make([]scanner.Verdict, len(pieces))
		failures = make([]*scanner.Error, len(pieces))
		group    errgroup.Group
	)
	group.SetLimit(parallel)
	for i := range pieces {
		group.Go(func() error {
			if settled.Load() {
				return nil
			}
			verdicts[i], failures[i] = st.judge(ctx, o, &pieces[i])
			switch {
			case failures[i] != nil:
				settled.Store(true)
			case blocksAll(&pieces[i], verdicts[i]):
				settled.Store(true)
				cancel()
			default:
			}
			return nil
		})
	}
	_ = group.Wait()
	return sum(pieces, verdicts, failures)
}

// blocksAll reports whether a verdict on a piece refuses the whole content.
func blocksAll(p *piece, v scanner.Verdict) bool {
	return v.Action == scanner.ActionBlock && p.tools == nil
}

// judge asks about one piece.
func (st *state) judge(ctx context.Context, o scanner.Origin, p *piece) (scanner.Verdict, *scanner.Error) {
	raw, failure := p.answer, (*scanner.Error)(nil)
	if raw == nil {
		raw, failure = st.answer(ctx, o, p)
	}
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	a, failure := parseAnswer(raw)
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	if st.greeted.CompareAndSwap(false, true) {
		st.greet(a)
	}
	v, failure := p.decide(a)
	v.Link = st.config.link(a)
	return v, failure
}

// answer asks the service about a piece, or takes the answer of somebody who asks
// the same just now.
func (st *state) answer(ctx context.Context, o scanner.Origin, p *piece) ([]byte, *scanner.Error) {
	ask := func(ctx context.Context) ([]byte, *scanner.Error) {
		body, err := st.config.body(o, p.event)
		if err != nil {
			return nil, incomprehensible("the request cannot be encoded")
		}
		return st.client.send(ctx, o.Server, body)
	}
	if !st.config.share {
		early, cancel := context.WithDeadline(ctx, soon(ctx))
		defer cancel()
		return ask(early)
	}
	key, err := st.config.key(o, p.event)
	if err != nil {
		return nil, incomprehensible("the request cannot be encoded")
	}
	return st.flights.ask(ctx, key, ask)
}

// greet says once in the log that the service takes the credential, and which
// profile it applies.
func (st *state) greet(a answer) {
	slog.Info("Prisma AIRS accepts the credentials and answers", //nolint:sloglint // Serve makes it the relay's log
		"endpoint", st.client.base, "region", st.config.regionName(), "profile", a.profile, "profile_id", a.profileID)
}

// sum makes one verdict of several. A block of the whole content stands
// whatever happened to the rest; a block of single tools needs the rest judged.
// Of several failures the one that the content caused is told.
func sum(pieces []piece, verdicts []scanner.Verdict, failures []*scanner.Error) (scanner.Verdict, *scanner.Error) {
	out := scanner.Allow()
	var failure *scanner.Error
	for i, v := range verdicts {
		if blocksAll(&pieces[i], v) {
			return v, nil
		}
		f := failures[i]
		if f == nil && v.Action == scanner.ActionUnspecified { // skipped after a failure
			f = &scanner.Error{Reason: scanner.ReasonUnavailable, Message: "not every part of the content was asked about"}
		}
		if f != nil && (failure == nil || f.ContentCaused && !failure.ContentCaused) {
			failure = f
		}
		if v.Action > out.Action {
			out.Action, out.Reference, out.Link = v.Action, v.Reference, v.Link
		}
		if out.Reference == "" {
			out.Reference, out.Link = v.Reference, v.Link
		}
		out.Findings = append(out.Findings, v.Findings...)
	}
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	return bounded(out), nil
}

// bounded keeps a verdict within what one may hold. Redactions that would be
// lost become a block.
func bounded(v scanner.Verdict) scanner.Verdict {
	if len(v.Findings) <= maxFindings {
		return v
	}
	if v.Action == scanner.ActionRedact {
		v.Action = scanner.ActionBlock
	}
	if v.Action == scanner.ActionBlock { // of all of it, not of the tools that still fit
		v.Findings = append(v.Findings[:maxFindings-1], verdictFinding("more findings than can be listed"))
	}
	v.Findings = v.Findings[:maxFindings]
	return v
}
