//go:build unix

package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	const bystanders = 5
	mark := filepath.Join(t.TempDir(), "mark")
	pill := fmt.Sprintf("exit-among %d:%s", bystanders+1, mark)
	var wg sync.WaitGroup
	for i := range bystanders {
		wg.Go(func() {
			v, err := s.Scan(t.Context(), text("honest", fmt.Sprint("outlast ", mark, " ", i)))
			if err != nil || v.Action != verdict.Allow {
				t.Errorf("bystander %d: %v", i, err)
			}
		})
	}
	wg.Go(func() {
		_, err := s.Scan(t.Context(), text("hostile", pill))
		wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	})
	wg.Wait()
	if points := s.ledger.account("honest").points(time.Now()); points != 0 {
		t.Errorf("the bystanders' server has %d points", points)
	}
	_, err := s.Scan(t.Context(), text("honest", pill))
	wantFailure(t, err, ReasonConvicted, verdict.CauseContent)
}

func TestASuspectWithoutTimeIsJudgedAloneWhenItComesBack(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	mark := filepath.Join(t.TempDir(), "mark")
	pill := "exit-among 2:" + mark
	var wg sync.WaitGroup
	for _, command := range []string{pill, "outlast " + mark} {
		wg.Go(func() {
			c, now := text(command, command), time.Now()
			late := scan{c: &c, account: s.ledger.account(command), start: now.Add(-time.Hour), end: now.Add(patience)}
			ctx, cancel := context.WithDeadline(t.Context(), late.end)
			defer cancel()
			if _, f := s.judge(ctx, &late); f == nil || f.Reason != ReasonCrash || f.Cause != verdict.CauseContent {
				t.Errorf("%s: %+v", command, f)
			}
			if known := s.ledger.standing(&c); known != suspected {
				t.Errorf("%s: standing %d, want a suspect", command, known)
			}
		})
	}
	wg.Wait()
	pid := ask(t, s, "pid")
	_, err := s.Scan(t.Context(), text(pill, pill))
	wantFailure(t, err, ReasonCrash, verdict.CauseContent)
	if got := ask(t, s, "pid"); got != pid {
		t.Error("a suspect was given to the shared process")
	}
}

// TestOneServersSuspectsDoNotKeepAnothersWaiting: who hangs where suspects are
// judged takes nobody else's acquittal away.
func TestOneServersSuspectsDoNotKeepAnothersWaiting(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	suspect := func(c verdict.Content) verdict.Content {
		s.ledger.set(s.ledger.key(&c), suspected)
		return c
	}
	ctx, cancel := context.WithCancel(t.Context())
	var hanging sync.WaitGroup
	defer hanging.Wait()
	defer cancel()
	hostile := suspect(text("hostile", "hang"))
	hanging.Go(func() { _, _ = s.Scan(ctx, hostile) })
	until(t, "it hangs there", func() bool { return inCells(s) > 0 })
	if _, err := s.Scan(t.Context(), suspect(text("honest", "x"))); err != nil {
		t.Errorf("a bystander: %v", err)
	}
	if ctx.Err() != nil {
		t.Error("the other one hung no more")
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
	spec.Env = append(spec.Env, "BAD_MAX=4")
	s := begin(t, spec, quiet())
	ready(t, s)
	running, waiting := s.slots.each()
	ctx, cancel := context.WithCancel(t.Context())
	const many = 100
	var (
		wg             sync.WaitGroup
		refused, ended atomic.Int64
	)
	defer wg.Wait()
	defer cancel()
	for i := range many {
		wg.Go(func() {
			_, err := s.Scan(ctx, text("hostile", "sleep 1h "+strconv.Itoa(i)))
			var f *verdict.Failure
			switch {
			case !errors.As(err, &f) || f.Cause != verdict.CauseContent:
				t.Errorf("hostile scan %d: %v", i, err)
			case f.Reason == ReasonOverloaded:
				refused.Add(1)
			default:
				ended.Add(1)
			}
		})
	}
	until(t, "the hostile scans wait", func() bool { return refused.Load() == int64(many-running-waiting) })
	for range 20 {
		ask(t, s, "x")
	}
	if ended.Load() > 0 || refused.Load() != int64(many-running-waiting) {
		t.Error("the others' scans waited for the hostile ones")
	}
}

// Under a policy that lets content pass in an outage, a hostile server must not
// be able to make one for its own content, whatever it sends.
func TestAHostileServerCannotMakeAnOutage(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	attacks := []string{"exit", "late-exit", "panic", "sleep 9s", "hang", "oversize", "wrong-id", "unknown-action", "edit-outside", "flood", "harmless"}
	var (
		wg             sync.WaitGroup
		over           atomic.Bool
		attacked       atomic.Int64 // times
		locked, judged atomic.Int64 // scans that were refused to the hostile server; honest ones that were judged meanwhile
	)
	defer wg.Wait()
	defer over.Store(true)
	for worker := range 6 {
		wg.Go(func() {
			for i := 0; !over.Load(); i++ {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				attack := attacks[(worker+i)%len(attacks)]
				_, err := s.Scan(ctx, text("hostile", fmt.Sprint(attack, " ", worker, i)))
				cancel()
				var f *verdict.Failure
				switch {
				case err == nil:
				case !errors.As(err, &f) || f.Cause != verdict.CauseContent:
					t.Errorf("%s would pass: %v", attack, err)
				case f.Reason == ReasonQuarantined || f.Reason == ReasonBreaker:
					locked.Add(1)
				}
				attacked.Add(1)
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
	until(t, "the hostile server is locked out and the honest one is not", func() bool {
		return attacked.Load() >= 1000 && locked.Load() > 0 && judged.Load() >= 20
	})
}
