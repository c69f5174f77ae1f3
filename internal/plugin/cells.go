package plugin

import (
	"context"
	"sync"
)

// maxCells bounds the processes for suspects of one scanner. There is one for
// each server that has some, up to this; then they take turns. A configuration
// with a hundred servers that crash the scanner must not start a hundred.
const maxCells = 4

// cells are the processes in which suspects are judged.
type cells struct {
	scans slots // one of each server at a time, each in a cell
	// Scans of servers that are judged there for what they did hold one cell
	// less than there are: they cannot keep the suspects of others, who were
	// merely there, from being cleared.
	solo slots

	mu   sync.Mutex
	all  [maxCells]*cell
	uses uint64
}

func newCells(ctx context.Context, start func(context.Context) (*generation, error), keep *sync.WaitGroup) *cells {
	p := &cells{scans: slots{limit: maxCells, most: 1}, solo: slots{limit: maxCells - 1, most: 1}}
	for i := range p.all {
		p.all[i] = &cell{ctx: ctx, start: start, keep: keep}
	}
	return p
}

// acquire waits for a cell for a scan of this server, no longer than ctx. solo
// says that the server is judged alone for what it did. Without an error, release
// must be called once.
func (p *cells) acquire(ctx context.Context, a *account, solo bool) (c *cell, release func(), err error) {
	if solo {
		if err := p.solo.acquire(ctx, &a.solo); err != nil {
			return nil, nil, err
		}
	}
	if err = p.scans.acquire(ctx, &a.alone); err == nil {
		c = p.assign(a)
	} else if solo {
		p.solo.release(&a.solo)
	}
	return c, func() {
		p.vacate(c)
		p.scans.release(&a.alone)
		if solo {
			p.solo.release(&a.solo)
		}
	}, err
}

// assign returns the cell that the server had last, or else the one that was
// used longest ago, with a new process. There is one: the scans that hold slots
// are no more than the cells.
func (p *cells) assign(a *account) *cell {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *cell
	for _, c := range p.all {
		switch {
		case c.busy:
		case best == nil, c.tenant == a, best.tenant != a && c.used < best.used:
			best = c
		}
	}
	if best.tenant != a {
		best.evict()
		best.tenant = a
	}
	best.busy = true
	return best
}

func (p *cells) vacate(c *cell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uses++
	c.busy, c.used = false, p.uses
}

// close ends all processes, and lets no other start.
func (p *cells) close() {
	for _, c := range p.all {
		c.close()
	}
}

// renew has the next suspects meet new processes.
func (p *cells) renew() {
	for _, c := range p.all {
		c.renew()
	}
}
