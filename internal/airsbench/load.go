package airsbench

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Row is what came of calls with so many in flight.
type Row struct {
	Scenario  string
	InFlight  int
	Calls     int
	Passed    int
	Scans     int64 // requests to the service
	Throttled int64 // of these, answered with 429
	// P50 and P99 are of what the relay and its scanners added to the tool's time, for the
	// calls whose results came through.
	P50, P99 time.Duration
	Rate     float64 // calls a second
}

// PerCall returns how many requests to the service a call took.
func (r *Row) PerCall() float64 { return float64(r.Scans) / float64(r.Calls) }

// Load makes calls with so many in flight.
func (b *Bench) Load(inFlight, calls int) (Row, error) {
	row := Row{Scenario: b.Scenario.Name, InFlight: inFlight, Calls: calls}
	scans, throttled := b.service.scans.Load(), b.service.refused.Load()
	var (
		next   atomic.Int64
		mu     sync.Mutex
		added  []time.Duration
		failed error
		wait   sync.WaitGroup
	)
	begin := time.Now()
	for range inFlight {
		wait.Go(func() {
			for next.Add(1) <= int64(calls) {
				start := time.Now()
				passed, err := b.client.call(b.page())
				took := time.Since(start)
				mu.Lock()
				if passed {
					added = append(added, took-b.options.Work)
				}
				if err != nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wait.Wait()
	if failed != nil {
		return row, fmt.Errorf("%s: %w", b.Scenario.Name, failed)
	}
	row.Rate = float64(calls) / time.Since(begin).Seconds()
	row.Scans, row.Throttled = b.service.scans.Load()-scans, b.service.refused.Load()-throttled
	row.Passed, row.P50, row.P99 = len(added), quantile(added, 50), quantile(added, 99)
	return row, nil
}

// page returns what the next call asks for.
func (b *Bench) page() string {
	if b.Scenario.Same {
		return "page-0"
	}
	return fmt.Sprintf("page-%d", b.asked.Add(1))
}

// quantile returns the value that so many percent do not exceed.
func quantile(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)*percent+99)/100-1]
}

// Run measures all scenarios, in the order of the scenarios and then of what is in
// flight. Where little is in flight, nearly all of the time is waiting, and the
// scenarios are measured at the same time.
func Run(scenarios []Scenario, o *Options) ([]Row, error) {
	benches := make([]*Bench, len(scenarios))
	defer func() {
		for _, b := range benches {
			if b != nil {
				b.Close()
			}
		}
	}()
	for i := range scenarios {
		var err error
		if benches[i], err = Begin(&scenarios[i], o); err != nil {
			return nil, err
		}
	}
	var rows []Row
	for _, inFlight := range slices.Sorted(maps.Keys(o.Calls)) {
		measured := make([]Row, len(benches))
		errs := make([]error, len(benches))
		var wait sync.WaitGroup
		for i, b := range benches {
			wait.Go(func() { measured[i], errs[i] = b.Load(inFlight, o.Calls[inFlight]) })
			if inFlight > together {
				wait.Wait()
			}
		}
		wait.Wait()
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
		rows = append(rows, measured...)
	}
	return rows, nil
}

// together is how many calls in flight of one scenario leave the processors idle.
const together = 8
