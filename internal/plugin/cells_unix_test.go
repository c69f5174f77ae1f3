//go:build unix

package plugin

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// inCells returns how many scans hold a cell.
func inCells(s *Supervisor) int {
	s.cells.scans.mu.Lock()
	defer s.cells.scans.mu.Unlock()
	return s.cells.scans.used
}

// suspects makes contents suspects, so that they are judged in cells.
func suspects(s *Supervisor, all ...verdict.Content) {
	for i := range all {
		s.ledger.set(s.ledger.key(&all[i]), suspected)
	}
}

func TestManyServersShareFewCells(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	s := begin(t, spec, quiet())
	ready(t, s)
	shared := ask(t, s, "pid")

	const servers = 3 * maxCells
	var (
		over    atomic.Bool
		most    int
		counter sync.WaitGroup
	)
	counter.Go(func() { // each process has a directory, from before its start until it is gone
		for ; !over.Load(); time.Sleep(time.Millisecond) {
			dirs, _ := filepath.Glob(filepath.Join(spec.RunDir, runPrefix+"*"))
			most = max(most, len(dirs))
		}
	})
	var (
		scans sync.WaitGroup
		mu    sync.Mutex
		pids  = map[string]string{shared: "the shared process"}
	)
	for i := range servers {
		server := fmt.Sprint("server", i)
		first, second := text(server, "pid - "+server), text(server, "pid + "+server)
		suspects(s, first, second)
		scans.Go(func() {
			for _, c := range []verdict.Content{first, second} {
				v, err := s.Scan(t.Context(), c)
				if err != nil {
					t.Errorf("%s: %v", server, err)
					return
				}
				mu.Lock()
				if other := pids[v.Reference]; other != "" && other != server {
					t.Errorf("suspects of %s were judged in the process of %s", server, other)
				}
				pids[v.Reference] = server
				mu.Unlock()
			}
		})
	}
	scans.Wait()
	over.Store(true)
	counter.Wait()
	if most > 1+maxCells || most < 2 {
		t.Errorf("%d processes at a time, at most %d expected", most, 1+maxCells)
	}
}

// TestHostileServersDoNotTakeAllCells: however many hang there, whoever was only
// there is cleared.
func TestHostileServersDoNotTakeAllCells(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var hanging sync.WaitGroup
	defer hanging.Wait()
	defer cancel()
	for i := range 2 * maxCells {
		server := fmt.Sprint("hostile", i)
		s.ledger.account(server).charge(time.Now(), pointsSolo)
		hanging.Go(func() { _, _ = s.Scan(ctx, text(server, "hang "+server)) })
	}
	until(t, "they hang there", func() bool { return inCells(s) == maxCells-1 })
	for i := range 3 {
		honest := text(fmt.Sprint("honest", i), "x")
		suspects(s, honest)
		if _, err := s.Scan(t.Context(), honest); err != nil {
			t.Errorf("a bystander: %v", err)
		}
	}
	if ctx.Err() != nil || inCells(s) != maxCells-1 {
		t.Error("the others hung no more")
	}
}
