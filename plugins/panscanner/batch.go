package panscanner

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mcp-relay/relay/scanner"
)

const (
	batchAuto = "auto" // asynchronous where that is faster
	batchSync = "sync"

	batchParallel = 16 // contents of a batch that are judged at a time
	// worthwhile is how much longer than an asynchronous round the rate limit must
	// make a batch of synchronous requests: the round waits a second or two for the
	// service, and uses up the few looks at results that a tenant has.
	worthwhile = 3 * time.Second
)

// ScanBatch asks about several contents, a bounded number at a time. Synchronous
// requests cost no more than asynchronous ones, which are billed by tokens too,
// and answer sooner. Asynchronous ones are sent only where the limit on requests
// would hold the batch up for longer.
func (s *airs) ScanBatch(ctx context.Context, cs []scanner.Content) []scanner.Result {
	results := make([]scanner.Result, len(cs))
	st := s.state.Load()
	asked := make([]batch, len(cs))
	var open []*order
	for i, c := range cs {
		if st == nil {
			results[i].Err = unconfigured()
			continue
		}
		var failure *scanner.Error
		if asked[i], failure = st.prepare(ctx, c); failure != nil {
			results[i].Err = failure
			continue
		}
		for j := range asked[i].pieces {
			open = append(open, &order{origin: c.Origin, piece: &asked[i].pieces[j]})
		}
	}
	if st == nil {
		return results
	}
	if st.asynchronously(ctx, len(open)) {
		st.client.prefetch(ctx, &st.config, open)
	}
	var group errgroup.Group
	group.SetLimit(batchParallel)
	for i := range cs {
		if results[i].Err != nil {
			continue
		}
		group.Go(func() error {
			results[i].Verdict, results[i].Err = st.conclude(ctx, cs[i].Origin, asked[i])
			return nil
		})
	}
	_ = group.Wait()
	return results
}

// asynchronously reports whether n requests are better asked for in batches.
func (st *state) asynchronously(ctx context.Context, n int) bool {
	if st.config.batch != batchAuto || n <= maxBatch {
		return false
	}
	batches := (n + maxBatch - 1) / maxBatch
	alone, together := st.client.throttle.expect(n), st.client.throttle.expect(batches)
	if alone < together+worthwhile || !st.client.queries.free((batches+maxBatch-1)/maxBatch) {
		return false
	}
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > together+firstLook+worthwhile/2
}
