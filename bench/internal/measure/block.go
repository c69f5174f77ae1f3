package measure

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/bench/internal/hist"
)

// Limits bound a block of load.
type Limits struct {
	Calls  int           // over all workers
	Time   time.Duration // start no further call after this
	Warmup int           // untimed calls per worker
	Grace  time.Duration // time that pending calls get to finish
}

// Block is the outcome of one run of one scenario.
type Block struct {
	Calls   int           `json:"calls"`
	Elapsed time.Duration `json:"elapsed_ns"`
	P50     float64       `json:"p50_us"`
	P90     float64       `json:"p90_us"`
	P99     float64       `json:"p99_us"`
	Max     float64       `json:"max_us"`
	Mean    float64       `json:"mean_us"`
	Rate    float64       `json:"calls_per_s"`
	Errors  Errors        `json:"errors"`

	// Per timed call, in microseconds, warm-up included in neither.
	CPUProxy  float64 `json:"cpu_proxy_us"`
	CPUServer float64 `json:"cpu_server_us"`
	CPUClient float64 `json:"cpu_client_us"`
	PeakRSS   int64   `json:"peak_rss_bytes"` // of the proxy's processes
	Procs     int     `json:"proxy_procs"`
}

// maxErrors ends a block early; a broken target must not cost the whole time.
const maxErrors = 50

// run makes calls from sc.C workers until a limit is reached. before and after
// are called at the edges of the timed part.
func run(sessions []*Session, sc Scenario, lim Limits, before, after func()) Block {
	workers := make([]*worker, sc.C)
	for i := range workers {
		workers[i] = &worker{s: sessions[i%len(sessions)], lane: i / len(sessions), i: i}
	}
	hard := time.Now().Add(2*lim.Time + 2*lim.Grace)
	stray := 0
	for _, s := range sessions {
		s.c.SetDeadline(hard)
		stray -= s.c.Unexpected()
	}
	each := func(f func(*worker)) {
		var wg sync.WaitGroup
		for _, w := range workers {
			wg.Go(func() { f(w) })
		}
		wg.Wait()
	}
	warmEnd := time.Now().Add(lim.Time)
	each(func(w *worker) {
		for range lim.Warmup {
			if _, err := w.one(sc); err != nil {
				w.errs.add(err)
			}
			if w.errs.Total() > 3 || time.Now().After(warmEnd) {
				return
			}
		}
	})
	var left, failed atomic.Int64
	left.Store(int64(lim.Calls))
	before()
	start := time.Now()
	end := start.Add(lim.Time)
	each(func(w *worker) {
		for left.Add(-1) >= 0 && time.Now().Before(end) && failed.Load() < maxErrors {
			d, err := w.one(sc)
			if err != nil {
				w.errs.add(err)
				failed.Add(1)
				continue
			}
			w.h.Add(d)
			w.done++
		}
	})
	elapsed := time.Since(start)
	after()
	var total hist.Hist
	b := Block{Elapsed: elapsed}
	for _, s := range sessions {
		stray += s.c.Unexpected()
	}
	b.Errors.Stray = stray
	for _, w := range workers {
		total.Merge(&w.h)
		b.Errors.merge(&w.errs)
		b.Calls += w.done
	}
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	b.P50, b.P90, b.P99 = us(total.Quantile(.5)), us(total.Quantile(.9)), us(total.Quantile(.99))
	b.Max, b.Mean = us(total.Max()), us(total.Mean())
	b.Rate = float64(b.Calls) / elapsed.Seconds()
	return b
}
