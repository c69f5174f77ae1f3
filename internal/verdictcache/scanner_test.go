package verdictcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// judge is a scanner that counts, and may wait.
type judge struct {
	scans atomic.Int64
	ask   func(ctx context.Context, c verdict.Content) (verdict.Verdict, error)
}

func (j *judge) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	j.scans.Add(1)
	if j.ask != nil {
		return j.ask(ctx, c)
	}
	return verdict.Verdict{Action: verdict.Allow, ScannerTime: 5}, nil
}

// about is a scanner that is known, or becomes so when somebody waits.
type about struct {
	mu    sync.Mutex
	id    Identity
	scope Scope
	known bool
}

func (a *about) Known() (Identity, Scope, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.id, a.scope, a.known
}

func (a *about) Await(context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known = true
}

func memoryOnly() *Store { return Open(Options{Memory: 1 << 20, TTL: time.Hour}) }

func all() *about { return &about{scope: Everything, known: true} }

func content(text string) verdict.Content {
	return verdict.Content{
		Phase: verdict.Request, Kind: verdict.JSON, Data: []byte(text),
		Origin: verdict.Origin{Server: "s", Method: "tools/call", Target: "t", Session: "1", Call: "2"},
	}
}

// scan returns a verdict that must be there.
func scan(t *testing.T, s *Scanner, c verdict.Content) verdict.Verdict {
	t.Helper()
	v, err := s.Scan(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSecondTimeIsNotAsked(t *testing.T) {
	j := &judge{}
	s := New(j, all(), memoryOnly(), time.Second)
	if v := scan(t, s, content(`{}`)); v.Cached || v.ScannerTime != 5 {
		t.Errorf("first: %+v", v)
	}
	again := content(`{}`)
	again.Origin.Session, again.Origin.Call = "other", "other"
	if v := scan(t, s, again); !v.Cached || v.ScannerTime != 0 || v.Action != verdict.Allow {
		t.Errorf("second: %+v", v)
	}
	if v := scan(t, s, content(`{"a":1}`)); v.Cached {
		t.Errorf("another: %+v", v)
	}
	if n := j.scans.Load(); n != 2 {
		t.Errorf("%d scans", n)
	}
}

// Another identity is another verdict, whatever of it changed.
func TestEveryPartOfIdentityCounts(t *testing.T) {
	a, j := all(), &judge{}
	s := New(j, a, memoryOnly(), time.Second)
	scan(t, s, content(`{}`))
	leaves(reflect.ValueOf(&a.id).Elem(), "", func(v reflect.Value, path string) {
		before := a.id
		flip(t, v)
		if v := scan(t, s, content(`{}`)); v.Cached {
			t.Errorf("%s does not count", path)
		}
		a.id = before
	})
	if v := scan(t, s, content(`{}`)); !v.Cached {
		t.Error("the first verdict is gone")
	}
}

func TestScopes(t *testing.T) {
	definition := content(`{"tools":[]}`)
	definition.Phase = verdict.Definition
	for scope, want := range map[Scope][2]bool{Nothing: {false, false}, Definitions: {false, true}, Everything: {true, true}} {
		a := all()
		a.scope = scope
		s := New(&judge{}, a, memoryOnly(), time.Second)
		for i, c := range []verdict.Content{content(`{}`), definition} {
			scan(t, s, c)
			if v := scan(t, s, c); v.Cached != want[i] {
				t.Errorf("scope %d, content %d: %t", scope, i, v.Cached)
			}
		}
	}
}

// Failures are never kept, nor a verdict of a scanner that meanwhile is another.
func TestWhatIsNotKept(t *testing.T) {
	a, j := all(), &judge{}
	s := New(j, a, memoryOnly(), time.Second)
	j.ask = func(context.Context, verdict.Content) (verdict.Verdict, error) {
		return verdict.Verdict{}, &verdict.Failure{Reason: "crash"}
	}
	for range 2 {
		if _, err := s.Scan(t.Context(), content(`{}`)); err == nil {
			t.Error("a failure became a verdict")
		}
	}
	j.ask = func(context.Context, verdict.Content) (verdict.Verdict, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.id.Digest += "x"
		return verdict.Verdict{Action: verdict.Block}, nil
	}
	scan(t, s, content(`{}`))
	a.id.Digest = "x"
	j.ask = nil
	if v := scan(t, s, content(`{}`)); v.Cached {
		t.Error("a verdict was kept for another scanner")
	}
}

// A scanner that is just starting is waited for, so that what is kept counts.
func TestStartingScanner(t *testing.T) {
	a, store := all(), memoryOnly()
	scan(t, New(&judge{}, a, store, time.Second), content(`{}`))
	a.known = false
	if v := scan(t, New(&judge{}, a, store, time.Second), content(`{}`)); !v.Cached {
		t.Error("not waited for")
	}
}

// Who gets a verdict may change it.
func TestVerdictsAreOwned(t *testing.T) {
	j := &judge{ask: func(context.Context, verdict.Content) (verdict.Verdict, error) {
		return verdict.Verdict{
			Action: verdict.Redact, Findings: []verdict.Finding{{Rule: "r", Edit: &verdict.Edit{Text: "a"}}},
			Uninspected: []verdict.Uninspected{{Reason: "size"}},
		}, nil
	}}
	s := New(j, all(), memoryOnly(), time.Second)
	for range 3 {
		v := scan(t, s, content(`{}`))
		if v.Findings[0].Rule != "r" || v.Findings[0].Edit.Text != "a" || v.Uninspected[0].Reason != "size" {
			t.Fatalf("%+v", v)
		}
		v.Findings[0].Rule, v.Findings[0].Edit.Text, v.Uninspected[0].Reason = "x", "x", "x"
	}
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(&judge{}, all(), memoryOnly(), time.Second)
		scan(t, s, content(`{}`))
		time.Sleep(time.Hour - time.Second)
		if v := scan(t, s, content(`{}`)); !v.Cached {
			t.Error("gone too early")
		}
		time.Sleep(time.Second)
		if v := scan(t, s, content(`{}`)); v.Cached {
			t.Error("kept too long")
		}
	})
}

// What many bring at once is judged once, and who goes away takes nothing from
// the others.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &judge{ask: func(ctx context.Context, _ verdict.Content) (verdict.Verdict, error) {
			select {
			case <-time.After(time.Second):
				return verdict.Verdict{Action: verdict.Flag}, nil
			case <-ctx.Done():
				return verdict.Verdict{}, &verdict.Failure{Reason: "cancelled"}
			}
		}}
		s := New(j, all(), memoryOnly(), time.Minute)
		first, leave := context.WithCancel(t.Context())
		go func() {
			if _, err := s.Scan(first, content(`{}`)); err == nil {
				t.Error("who went away got a verdict")
			}
		}()
		synctest.Wait()
		second, leaveToo := context.WithCancel(t.Context())
		go func() {
			var f *verdict.Failure
			if _, err := s.Scan(second, content(`{}`)); !errors.As(err, &f) || f.Reason != "cancelled" {
				t.Errorf("who waited and went away: %v", err)
			}
		}()
		var got atomic.Int64
		for range 50 {
			go func() {
				if v, err := s.Scan(t.Context(), content(`{}`)); err == nil && v.Action == verdict.Flag {
					got.Add(1)
				}
			}()
		}
		synctest.Wait()
		leaveToo()
		leave()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got.Load() != 50 || j.scans.Load() != 2 {
			t.Errorf("%d verdicts of %d scans", got.Load(), j.scans.Load())
		}
	})
}

func TestWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		j := &judge{ask: func(context.Context, verdict.Content) (verdict.Verdict, error) {
			<-end
			return verdict.Verdict{Action: verdict.Allow}, nil
		}}
		s := New(j, all(), memoryOnly(), time.Second)
		go func() { _, _ = s.Scan(t.Context(), content(`{}`)) }()
		synctest.Wait()
		var f *verdict.Failure
		if _, err := s.Scan(t.Context(), content(`{}`)); !errors.As(err, &f) || f.Reason != "timeout" || f.Cause != verdict.CauseContent {
			t.Errorf("%v", err)
		}
		close(end)
	})
}

func TestConcurrently(t *testing.T) {
	s := New(&judge{}, all(), Open(Options{Memory: 64 << 10, TTL: time.Hour, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}), time.Second)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 300 {
				c := content(fmt.Sprint(i % 100))
				c.Origin.Server = fmt.Sprint(w % 3)
				c.Phase = verdict.Phases[i%2]
				if v, err := s.Scan(t.Context(), c); err != nil || v.Action != verdict.Allow {
					t.Errorf("%+v, %v", v, err)
				}
			}
		})
	}
	wg.Wait()
	s.store.Close()
}

// One server does not take the place of others.
func TestSharesOfServers(t *testing.T) {
	s := New(&judge{}, all(), Open(Options{Memory: 64 << 10, TTL: time.Hour}), time.Second)
	quiet := content(`{}`)
	quiet.Origin.Server = "quiet"
	scan(t, s, quiet)
	for i := range 10_000 {
		scan(t, s, content(fmt.Sprint(i)))
	}
	if v := scan(t, s, quiet); !v.Cached {
		t.Error("a flood took another server's verdict")
	}
	m := s.store.memory
	if m.used > m.limit || len(m.entries) < 50 {
		t.Errorf("%d entries, %d bytes", len(m.entries), m.used)
	}
	if v := scan(t, s, content("9999")); !v.Cached {
		t.Error("the latest is gone")
	}
	if v := scan(t, s, content("0")); v.Cached {
		t.Error("the oldest is there")
	}
}

func BenchmarkScan(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10} {
		text := make([]byte, size)
		c := content(string(text))
		b.Run(fmt.Sprintf("hit/%dKiB", size>>10), func(b *testing.B) {
			s := New(&judge{}, all(), memoryOnly(), time.Second)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Scan(b.Context(), c)
			}
		})
		b.Run(fmt.Sprintf("miss/%dKiB", size>>10), func(b *testing.B) {
			s := New(&judge{}, all(), memoryOnly(), time.Second)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Data[0], c.Data[1], c.Data[2] = byte(i), byte(i>>8), byte(i>>16)
				_, _ = s.Scan(b.Context(), c)
			}
		})
	}
}
