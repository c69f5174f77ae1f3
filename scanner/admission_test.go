package scanner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAdmissionLimitsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(2, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		entered := make(chan func(), 4)
		for range 4 {
			go func() {
				if leave, err := a.enter(ctx); err == nil {
					entered <- leave
				}
			}()
		}
		synctest.Wait()
		if len(entered) != 2 {
			t.Fatalf("%d scans run, want 2", len(entered))
		}
		(<-entered)()
		synctest.Wait()
		if len(entered) != 2 {
			t.Errorf("%d scans run after one left, want 2", len(entered))
		}
		time.Sleep(2 * time.Minute)
		(<-entered)()
		(<-entered)()
		synctest.Wait()
		if len(entered) != 0 {
			t.Error("a scan entered after its deadline")
		}
		if err := a.drain(t.Context()); err != nil {
			t.Errorf("drain with nothing running: %v", err)
		}
	})
}

func TestAdmissionDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(0, true)
		leave, err := a.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.drain(ctx); err == nil {
			t.Error("drained while a scan runs")
		}
		if _, err := a.enter(t.Context()); err == nil {
			t.Error("a scan entered while draining")
		}
		drained := make(chan error)
		go func() { drained <- a.drain(t.Context()) }()
		synctest.Wait()
		leave()
		if err := <-drained; err != nil {
			t.Errorf("drain: %v", err)
		}
		if a.ready() {
			t.Error("ready after draining")
		}
	})
}
