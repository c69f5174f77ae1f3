//go:build unix

package plugin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func TestAPillIsGivenOnce(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	_, err := s.Scan(t.Context(), text("hostile", "exit"))
	wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	pid := ask(t, s, "pid")
	for range 3 {
		_, err = s.Scan(t.Context(), text("hostile", "exit"))
		wantFailure(t, err, ReasonConvicted, verdict.CauseContent)
		_, err = s.Scan(t.Context(), text("honest", "exit"))
		wantFailure(t, err, ReasonConvicted, verdict.CauseContent)
	}
	if got := ask(t, s, "pid"); got != pid {
		t.Error("the pill was given again")
	}
	// Another server's content goes on as before; the hostile one's is judged in
	// another process, and can crash only that.
	if v, err := s.Scan(t.Context(), text("hostile", "pid")); err != nil || v.Reference == pid {
		t.Errorf("hostile content: %q, %v; honest content is judged in %s", v.Reference, err, pid)
	}
	_, err = s.Scan(t.Context(), text("hostile", "panic"))
	wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	_, err = s.Scan(t.Context(), text("hostile", "exit again"))
	wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	_, err = s.Scan(t.Context(), text("hostile", "harmless"))
	wantFailure(t, err, ReasonQuarantined, verdict.CauseContent)
	if got := ask(t, s, "pid"); got != pid {
		t.Error("the shared process was crashed again")
	}
	if err := s.Reconfigure(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, err = s.Scan(t.Context(), text("honest", "exit"))
	wantFailure(t, err, ReasonCrash, verdict.CauseContent)
}

func TestBystandersAreJudgedAfterACrash(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Timeout = 30 * time.Second
	s := begin(t, spec, quiet())
	ready(t, s)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			v, err := s.Scan(t.Context(), text("honest", "sleep 300ms "+strconv.Itoa(i)))
			if err != nil || v.Action != verdict.Allow {
				t.Errorf("bystander %d: %v", i, err)
			}
		})
	}
	wg.Go(func() {
		_, err := s.Scan(t.Context(), text("hostile", "late-exit"))
		wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	})
	wg.Wait()
	if points := s.ledger.account("honest").points(time.Now()); points != 0 {
		t.Errorf("the bystanders' server has %d points", points)
	}
	_, err := s.Scan(t.Context(), text("honest", "late-exit"))
	wantFailure(t, err, ReasonConvicted, verdict.CauseContent)
}

func TestASuspectWithoutTimeIsJudgedAloneWhenItComesBack(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 280*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for _, command := range []string{"late-exit", "sleep 10s"} {
		wg.Go(func() {
			_, err := s.Scan(ctx, text(command, command))
			var f *verdict.Failure
			if !errors.As(err, &f) || f.Cause != verdict.CauseContent || f.Reason != ReasonCrash && f.Reason != ReasonTimeout {
				t.Errorf("%s: %v", command, err)
			}
		})
	}
	wg.Wait()
	pid := ask(t, s, "pid")
	_, err := s.Scan(t.Context(), text("late-exit", "late-exit"))
	wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	if got := ask(t, s, "pid"); got != pid {
		t.Error("a suspect was given to the shared process")
	}
}

func TestExitWhileIdleIsAnOutage(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	g := s.status.Load().generation
	g.proc.Kill()
	<-g.ended
	if g.crowd != 0 {
		t.Errorf("crowd is %d", g.crowd)
	}
	ask(t, s, "x")
	if points := s.ledger.account("other").points(time.Now()); points != 0 {
		t.Errorf("a server has %d points for it", points)
	}
}

func TestOneServersTimeoutsOpenItsBreakerOnly(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	for i := range breakerTimeouts {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := s.Scan(ctx, text("hostile", "sleep 5s "+strconv.Itoa(i)))
		cancel()
		wantFailure(t, err, ReasonTimeout, verdict.CauseContent)
	}
	_, err := s.Scan(t.Context(), text("hostile", "harmless"))
	wantFailure(t, err, ReasonBreaker, verdict.CauseContent)
	ask(t, s, "x")
}

func TestOneServerCannotTakeAllSlots(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Env = []string{"BAD_MAX=4"}
	s := begin(t, spec, quiet())
	ready(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := s.Scan(ctx, text("hostile", "sleep 5s "+strconv.Itoa(i)))
			var f *verdict.Failure
			if !errors.As(err, &f) || f.Cause != verdict.CauseContent {
				t.Errorf("hostile scan %d: %v", i, err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	for range 20 {
		ask(t, s, "x")
	}
	if ctx.Err() != nil {
		t.Error("the others' scans waited for the hostile ones")
	}
	wg.Wait()
}

// Under a policy that lets content pass in an outage, a hostile server must not
// be able to make one for its own content, whatever it sends.
func TestAHostileServerCannotMakeAnOutage(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Timeout = 30 * time.Second
	s := begin(t, spec, quiet())
	ready(t, s)
	var (
		over   atomic.Bool
		wg     sync.WaitGroup
		judged atomic.Int64
	)
	attacks := []string{"exit", "late-exit", "panic", "sleep 9s", "hang", "oversize", "wrong-id", "unknown-action", "edit-outside", "flood", "harmless"}
	for worker := range 6 {
		wg.Go(func() {
			for i := 0; !over.Load(); i++ {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				attack := attacks[(worker+i)%len(attacks)]
				_, err := s.Scan(ctx, text("hostile", fmt.Sprint(attack, " ", worker, i)))
				cancel()
				var f *verdict.Failure
				if err != nil && (!errors.As(err, &f) || f.Cause != verdict.CauseContent) {
					t.Errorf("%s would pass: %v", attack, err)
				}
			}
		})
	}
	for worker := range 2 {
		wg.Go(func() {
			for i := 0; !over.Load(); i++ {
				if _, err := s.Scan(t.Context(), text("honest", fmt.Sprint("x ", worker, i))); err != nil {
					t.Errorf("honest scan: %v", err)
				}
				judged.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	time.Sleep(3 * time.Second)
	over.Store(true)
	wg.Wait()
	if judged.Load() < 10 {
		t.Errorf("only %d honest scans were judged", judged.Load())
	}
	_, err := s.Scan(t.Context(), text("hostile", "harmless"))
	var f *verdict.Failure
	if !errors.As(err, &f) || f.Reason != ReasonQuarantined && f.Reason != ReasonBreaker {
		t.Errorf("after all that, the hostile server gets %v", err)
	}
}
