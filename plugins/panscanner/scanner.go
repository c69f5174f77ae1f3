package panscanner

import (
	"context"
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
	config config
	client *client
}

var (
	_ scanner.Scanner    = (*airs)(nil)
	_ scanner.Describer  = (*airs)(nil)
	_ scanner.Configurer = (*airs)(nil)
	_ scanner.Drainer    = (*airs)(nil)
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
	if old := s.state.Swap(&state{config: c, client: cl}); old != nil {
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
		return scanner.Verdict{}, &scanner.Error{Reason: scanner.ReasonNotConfigured, Message: "panscanner waits for its configuration"}
	}
	if ctx.Err() != nil { // spare the work on content that may be large
		return scanner.Verdict{}, &scanner.Error{
			Reason: scanner.ReasonTimeout, ContentCaused: true, Message: "the scan had ended before it began",
		}
	}
	asked, failure := st.config.split(c)
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	v, failure := st.ask(ctx, c.Origin, asked.pieces)
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
	body, err := st.config.body(o, p.event)
	if err != nil {
		return scanner.Verdict{}, incomprehensible("the request cannot be encoded")
	}
	raw, failure := st.client.send(ctx, body)
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	a, failure := parseAnswer(raw)
	if failure != nil {
		return scanner.Verdict{}, failure
	}
	return p.decide(a)
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
			out.Action, out.Reference = v.Action, v.Reference
		}
		if out.Reference == "" {
			out.Reference = v.Reference
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
