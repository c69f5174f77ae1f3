package scan

import (
	"sync"
	"sync/atomic"
)

// crew runs work on goroutines that stay when they are done. A scan goes deep
// into gRPC; a fresh goroutine would have to grow its stack anew each time,
// which costs as much as a tenth of the scan.
type crew struct {
	work chan func()
	idle atomic.Int32
	quit chan struct{}
	once sync.Once
}

// maxIdle is how many goroutines stay. There is no limit to how many work.
const maxIdle = 64

func newCrew() *crew { return &crew{work: make(chan func()), quit: make(chan struct{})} }

// run runs f on another goroutine. It never waits: there are as many
// goroutines as there is work at a time.
func (c *crew) run(f func()) {
	select {
	case c.work <- f:
	default:
		go c.serve(f)
	}
}

func (c *crew) serve(f func()) {
	for {
		f()
		if c.idle.Add(1) > maxIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case f = <-c.work:
			c.idle.Add(-1)
		case <-c.quit:
			return
		}
	}
}

// dismiss ends the idle goroutines. Work that comes later is still done.
func (c *crew) dismiss() { c.once.Do(func() { close(c.quit) }) }
