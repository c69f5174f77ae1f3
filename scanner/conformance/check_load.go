package conformance

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// loadChecks are about many scans, and scans that are not waited for.
func loadChecks() []check {
	return []check{
		{
			name: "parallel", section: onScans, need: configured, run: works64,
			expected: "64 scans at once are all answered",
		},
		{
			name: "configure-during-scans", section: onOrder, need: configured, run: reconfigures,
			expected: "a configuration that comes while scans run fails none of them",
		},
		{
			name: "cancelled", section: onScans, need: configured, process: true, run: stops,
			expected: "within a second after a scan was cancelled, or its deadline has passed, it no longer works on it",
		},
		{
			name: "memory", section: onScans, need: configured, process: true, run: forgets,
			expected: "64 contents of 8 MiB, one after the other, do not stay in its memory (growth below 128 MiB)",
		},
		{
			name: "log-volume", section: onLogs, need: configured, process: true, run: isQuiet,
			expected: "256 scans leave at most 50 lines and 64 KiB on standard error",
		},
	}
}

func works64(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	var contents []sample
	for _, s := range p.suite.small() {
		if s.sort == least || s.sort == usual {
			contents = append(contents, s)
		}
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			s := contents[i%len(contents)]
			p.scan(l, s.title()+" among 64 at once", s.content())
		})
	}
	wg.Wait()
}

// stops watches from outside: scans are cancelled, and then draining, which waits
// for those that run, must not take long, nor may the processor be busy.
func stops(p *probe) {
	best := patience
	busy := false
	for range 2 { // the machine may be busy
		l := p.own()
		if l == nil {
			return
		}
		p.abandon(l)
		start := time.Now()
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		err := l.Drain(ctx)
		cancel()
		took := time.Since(start)
		if words, ended := l.ended(err); ended {
			p.fault("the process ended%s", words)
			return
		}
		if rest := p.suite.opts.sizes.rest - took; rest > 0 {
			time.Sleep(rest)
		}
		best, busy = min(best, took), works(l.child.cmd.Process.Pid)
		if best <= time.Second && !busy {
			return
		}
	}
	if best > time.Second {
		p.fault("draining, which waits for scans that run, took %v after all were cancelled", best.Round(time.Millisecond))
	}
	if busy {
		p.fault("a second after all scans were cancelled the process still uses the processor")
	}
}

// abandon starts scans of the largest contents and of small ones and leaves them.
func (p *probe) abandon(l *link) {
	contents := []scanner.Content{p.suite.plain(), asIs(p.suite.samples)}
	var wg sync.WaitGroup
	for _, content := range contents {
		for _, after := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond} {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(p.ctx)
				defer cancel()
				timer := time.AfterFunc(after, cancel)
				defer timer.Stop()
				_, _ = l.Scan(ctx, content)
			})
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(p.ctx, after)
				defer cancel()
				_, _ = l.Scan(ctx, content)
			})
		}
	}
	wg.Wait()
}

// asIs returns the content of the largest sample.
func asIs(samples []sample) scanner.Content {
	most := samples[0]
	for _, s := range samples {
		if len(s.data) > len(most.data) {
			most = s
		}
	}
	return most.content()
}

// works reports whether a process uses more than half a processor.
func works(pid int) bool {
	before, ok := processorTime(pid)
	if !ok {
		return false
	}
	start := time.Now()
	time.Sleep(200 * time.Millisecond)
	after, ok := processorTime(pid)
	return ok && after-before > time.Since(start)/2
}

// forgets compares the memory after some large contents with that after many.
func forgets(p *probe) {
	l := p.own()
	if l == nil {
		return
	}
	o := p.suite.opts.sizes
	content := asIs(p.suite.samples)
	if len(content.Data) < o.large/2 {
		p.skip("the scanner judges no large content")
		return
	}
	scan := func(times int) {
		for i := range times {
			c := content
			if c.Kind != scanner.KindJSON { // no two are alike
				c.Data = bytes.Clone(c.Data)
				c.Data[0] = byte('a' + i%26)
			}
			_, _ = l.Scan(p.ctx, c)
			if p.ctx.Err() != nil || !l.alive() {
				return
			}
		}
	}
	scan(o.many / 4)
	before, ok := memory(l.child.cmd.Process.Pid)
	if !ok {
		p.skip("this system does not say how much memory a process has")
		return
	}
	scan(o.many)
	after, ok := memory(l.child.cmd.Process.Pid)
	switch {
	case !ok || !l.alive():
		p.fault("the process ended%s", l.child.lastWords())
	case after-before > o.growth:
		p.fault("it grew from %d to %d MiB", before>>20, after>>20)
	}
}

func isQuiet(p *probe) {
	l := p.own()
	if l == nil {
		return
	}
	time.Sleep(50 * time.Millisecond) // what it says of its start is another matter
	sizeBefore, linesBefore := l.child.err.written()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 32 {
				_, _ = l.Scan(p.ctx, p.suite.plain())
			}
		})
	}
	wg.Wait()
	time.Sleep(50 * time.Millisecond)
	size, lines := l.child.err.written()
	if lines-linesBefore > 50 || size-sizeBefore > 64<<10 {
		p.fault("it wrote %d lines, %d KiB", lines-linesBefore, (size-sizeBefore)>>10)
	}
}
