package panscanner

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

func TestFlights(t *testing.T) {
	key := sha256.Sum256([]byte("a"))
	slow := func(calls *atomic.Int64, d time.Duration) func(context.Context) ([]byte, *scanner.Error) {
		return func(ctx context.Context) ([]byte, *scanner.Error) {
			calls.Add(1)
			if !pause(ctx, d) {
				return nil, &scanner.Error{Reason: scanner.ReasonRateLimited}
			}
			return []byte("yes"), nil
		}
	}
	t.Run("one request for all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var s flights
			var calls, ok atomic.Int64
			var group sync.WaitGroup
			for range 64 {
				group.Go(func() {
					if answer, failure := s.ask(t.Context(), key, slow(&calls, time.Second)); failure == nil && string(answer) == "yes" {
						ok.Add(1)
					}
				})
			}
			group.Wait()
			if calls.Load() != 1 || ok.Load() != 64 || len(s.open) > 0 {
				t.Errorf("%d requests, %d answers", calls.Load(), ok.Load())
			}
		})
	})
	t.Run("who asked first gives up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var s flights
			var calls atomic.Int64
			first, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			group.Go(func() {
				if _, failure := s.ask(first, key, slow(&calls, time.Second)); failure == nil {
					t.Error("who gave up has an answer")
				}
			})
			synctest.Wait()
			group.Go(func() {
				if _, failure := s.ask(t.Context(), key, slow(&calls, time.Second)); failure != nil {
					t.Errorf("the other: %v", failure)
				}
			})
			synctest.Wait()
			cancel()
			group.Wait()
			if calls.Load() != 1 {
				t.Errorf("%d requests", calls.Load())
			}
		})
	})
	t.Run("everybody gives up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var s flights
			var calls atomic.Int64
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			began := time.Now()
			for range 8 {
				group.Go(func() { _, _ = s.ask(ctx, key, slow(&calls, 20*time.Second)) })
			}
			synctest.Wait()
			cancel()
			group.Wait()
			synctest.Wait() // the request has ended too, or this bubble never does
			if time.Since(began) > 0 || len(s.open) > 0 {
				t.Errorf("ended after %v", time.Since(began))
			}
		})
	})
	t.Run("more time than the first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var s flights
			var calls atomic.Int64
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			long, cancelLong := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancelLong()
			ask := func(ctx context.Context) ([]byte, *scanner.Error) {
				calls.Add(1)
				time.Sleep(100 * time.Millisecond)
				return slow(new(atomic.Int64), 2*time.Second)(ctx)
			}
			var group sync.WaitGroup
			group.Go(func() {
				if _, failure := s.ask(short, key, ask); failure == nil {
					t.Error("the first had no time for that")
				}
			})
			synctest.Wait()
			group.Go(func() {
				if _, failure := s.ask(long, key, ask); failure != nil {
					t.Errorf("who had time: %v", failure)
				}
			})
			group.Wait()
			if calls.Load() != 2 {
				t.Errorf("%d requests", calls.Load())
			}
		})
	})
}

// TestKey checks what may share an answer.
func TestKey(t *testing.T) {
	c := testConfig()
	origin := scanner.Origin{Session: "s", Call: "c", Principal: "alice", Server: "files", Method: methodCall, Target: "read"}
	event := eventFor(origin)
	event.Output = `{"a":1}`
	key := func(change func(*scanner.Origin, *toolEvent)) [sha256.Size]byte {
		o, e := origin, event
		change(&o, &e)
		k, err := c.key(o, e)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	same := key(func(*scanner.Origin, *toolEvent) {})
	if same != key(func(o *scanner.Origin, _ *toolEvent) { o.Session, o.Call = "other", "another" }) {
		t.Error("the ids of session and call matter")
	}
	for name, change := range map[string]func(*scanner.Origin, *toolEvent){
		"user":   func(o *scanner.Origin, _ *toolEvent) { o.Principal = "bob" },
		"server": func(_ *scanner.Origin, e *toolEvent) { e.Metadata.Server = "other" },
		"tool":   func(_ *scanner.Origin, e *toolEvent) { e.Metadata.Tool = "write" },
		"method": func(_ *scanner.Origin, e *toolEvent) { e.Metadata.Method = methodList },
		"side":   func(_ *scanner.Origin, e *toolEvent) { e.Input, e.Output = e.Output, "" },
		"output": func(_ *scanner.Origin, e *toolEvent) { e.Output = `{"a":2}` },
	} {
		if same == key(change) {
			t.Errorf("another %s has the same answer", name)
		}
	}
}
