package plugin

import (
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	repeat := func(o outcome, n int) []outcome {
		list := make([]outcome, n)
		for i := range list {
			list[i] = o
		}
		return list
	}
	mix := func(lists ...[]outcome) (all []outcome) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	for _, test := range []struct {
		name     string
		outcomes []outcome
		open     bool
		cause    verdict.Cause
	}{
		{"quiet", nil, false, 0},
		{"few failures", repeat(outage, 19), false, 0},
		{"outages", repeat(outage, 20), true, verdict.CauseOutage},
		{"half", mix(repeat(success, 10), repeat(outage, 10)), true, verdict.CauseOutage},
		{"less than half", mix(repeat(success, 30), repeat(outage, 14)), false, 0},
		{"one by content", mix(repeat(byContent, 1), repeat(outage, 19)), true, verdict.CauseContent},
		{"a crash", mix(repeat(crashed, 1), repeat(outage, 19)), true, verdict.CauseContent},
		{"timeouts", repeat(timeout, 5), true, verdict.CauseContent},
		{"timeouts with an answer between", mix(repeat(timeout, 4), repeat(success, 1), repeat(timeout, 4)), false, 0},
		{"neutral", repeat(neutral, 100), false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b breaker
			now := time.Unix(1000, 0)
			for _, o := range test.outcomes {
				now = now.Add(100 * time.Millisecond)
				b.record(now, o)
			}
			ok, cause := b.admit(now)
			if ok == test.open || cause != test.cause {
				t.Errorf("admit = %v, %s", ok, cause)
			}
		})
	}
}

func TestBreakerForgets(t *testing.T) {
	t.Parallel()
	var b breaker
	now := time.Unix(1000, 0)
	for range 10 {
		b.record(now, outage)
		now = now.Add(time.Second)
	}
	now = now.Add(5 * time.Second) // five of them are too old
	for range 10 {
		b.record(now, outage)
	}
	if ok, _ := b.admit(now); !ok {
		t.Error("open after 15 calls in the window")
	}
}

func TestBreakerProbes(t *testing.T) {
	t.Parallel()
	var b breaker
	now := time.Unix(1000, 0)
	admit := func(want bool) {
		t.Helper()
		if ok, _ := b.admit(now); ok != want {
			t.Fatalf("admit = %v", ok)
		}
	}
	for range breakerTimeouts {
		b.record(now, timeout)
	}
	admit(false)
	now = now.Add(breakerFirst)
	admit(true)
	admit(false) // one probe at a time
	b.record(now, neutral)
	admit(true)
	b.record(now, timeout)
	now = now.Add(breakerFirst)
	admit(false) // the pause doubled
	now = now.Add(breakerFirst)
	admit(true)
	b.record(now, success)
	admit(true)
	admit(true)
	for range 20 { // never longer than the longest
		for range breakerTimeouts {
			b.record(now, timeout)
		}
		now = now.Add(breakerLongest)
		admit(true)
	}
}
