package plugin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mcp-relay/relay/internal/verdict"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

const (
	// retryShare is the part of a scan's time, in percent, that must be left for
	// judging again what was in a crashed scanner.
	retryShare = 30
	// crashWait is how long a broken call waits to learn that its process ended.
	crashWait = 250 * time.Millisecond
)

var static = []grpc.CallOption{grpc.StaticMethod()}

// Scan judges c, within the scanner's timeout and ctx's deadline, whichever is
// first; waiting for the scanner and for a slot counts. The error is always a
// *verdict.Failure. Scan may be called by many goroutines at once.
func (s *Supervisor) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	if len(c.Data) > handshake.MaxContent {
		err := fmt.Errorf("%d bytes, at most %d can be judged", len(c.Data), handshake.MaxContent)
		return verdict.Verdict{}, contentFailure(ReasonOversize, err)
	}
	start := time.Now()
	end := start.Add(s.spec.Timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	} else {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	sc := scan{c: &c, account: s.ledger.account(c.Origin.Server), start: start, end: end}
	v, f := s.judge(ctx, &sc)
	if f == nil {
		return v, nil
	}
	// Whoever brought the scanner down must not profit from its being down.
	if sc.account.points(time.Now()) > 0 {
		f.Cause = verdict.CauseContent
	}
	return verdict.Verdict{}, f
}

// scan is one call of Scan.
type scan struct {
	c          *verdict.Content
	account    *account
	start, end time.Time
	crowd      int64 // after a crash: how many contents were in the scanner
}

// judge decides where a content is judged and has it judged there.
func (s *Supervisor) judge(ctx context.Context, sc *scan) (verdict.Verdict, *verdict.Failure) {
	known, points := s.ledger.standing(sc.c), sc.account.points(sc.start)
	switch {
	case known == convicted:
		return verdict.Verdict{}, contentFailure(ReasonConvicted, errors.New("this content crashed the scanner before"))
	case points >= pointsBarred:
		return verdict.Verdict{}, contentFailure(ReasonQuarantined, errors.New("content of this server crashed the scanner too often"))
	case known == suspected || points >= pointsSolo:
		return s.alone(ctx, sc)
	}
	ok, cause := sc.account.breaker.admit(sc.start)
	if !ok {
		err := errors.New("the scanner keeps failing for this server")
		return verdict.Verdict{}, &verdict.Failure{Reason: ReasonBreaker, Cause: cause, Err: err}
	}
	v, f, o := s.together(ctx, sc)
	sc.account.breaker.record(time.Now(), o)
	if o == crashed {
		return s.afterCrash(ctx, sc, f)
	}
	return v, f
}

// together judges a content in the process that all servers share.
func (s *Supervisor) together(ctx context.Context, sc *scan) (verdict.Verdict, *verdict.Failure, outcome) {
	if err := s.slots.acquire(ctx, &sc.account.main); err != nil {
		if errors.Is(err, errOverloaded) {
			return verdict.Verdict{}, contentFailure(ReasonOverloaded, err), neutral
		}
		return verdict.Verdict{}, waitFailure(ctx, ReasonOverloaded, verdict.CauseContent), neutral
	}
	defer s.slots.release(&sc.account.main)
	g, f := s.enter(ctx)
	if f != nil {
		return verdict.Verdict{}, f, neutral
	}
	v, f, o := s.call(ctx, g, sc.c)
	if o == crashed {
		sc.crowd = g.crowd
	}
	return v, f, o
}

// enter waits for a generation that takes scans and counts the scan in.
func (s *Supervisor) enter(ctx context.Context) (*generation, *verdict.Failure) {
	for {
		now := s.status.Load()
		if now.generation != nil && now.generation.enter() {
			return now.generation, nil
		}
		if now.state.final() {
			return nil, outageFailure(ReasonUnavailable, now.reason())
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return nil, waitFailure(ctx, ReasonUnavailable, verdict.CauseOutage)
		}
	}
}

// call gives a content to a generation that counted it in, and counts it out.
func (s *Supervisor) call(ctx context.Context, g *generation, c *verdict.Content) (verdict.Verdict, *verdict.Failure, outcome) {
	defer g.leave()
	if !g.info.Covers(c.Phase, c.Kind) {
		return verdict.Verdict{}, contentFailure(ReasonUnsupported, errors.New("the scanner does not judge this phase or kind")), neutral
	}
	x, ok := exchanges.Get().(*exchange)
	if !ok {
		x = &exchange{}
	}
	defer x.free()
	id := s.id()
	x.fill(id, c)
	if g.info.UsesInventory {
		x.content.Inventory = inventory(c.Inventory)
	}
	if err := g.conn.Invoke(ctx, scannerv1.ScannerService_Scan_FullMethodName, &x.request, &x.response, static...); err != nil {
		if g.crashed(ctx, err) {
			return verdict.Verdict{}, contentFailure(ReasonCrash, errors.New("the scanner ended while it judged this content")), crashed
		}
		f, o := g.callFailure(ctx, err)
		return verdict.Verdict{}, f, o
	}
	v, err := verdictFrom(&x.response, id, c, s.spec.MayRewrite)
	if err != nil {
		return verdict.Verdict{}, contentFailure(ReasonInvalidVerdict, err), byContent
	}
	return v, nil, success
}

// crashed reports whether a call broke because the process ended, which shows a
// moment after the connection does. The call stays counted meanwhile, so that
// the crowd is complete.
func (g *generation) crashed(ctx context.Context, err error) bool {
	if st := status.Convert(err); st.Code() == codes.Unavailable && len(st.Details()) == 0 && ctx.Err() == nil {
		timer := time.NewTimer(crashWait)
		defer timer.Stop()
		select {
		case <-g.ended:
		case <-timer.C:
		}
	}
	select {
	case <-g.ended:
		return true
	default:
		return false
	}
}

// id returns a fresh id of a scan.
func (s *Supervisor) id() string {
	var buf [32]byte
	b := append(buf[:0], s.tag...)
	return string(strconv.AppendUint(b, s.scans.Add(1), 36))
}
