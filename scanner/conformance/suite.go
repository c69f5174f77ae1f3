package conformance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/scanner"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// patience is how long one check may take on a loaded machine. The relay's own
// deadlines are shorter and are the user's to set.
const patience = time.Minute

// Status is the outcome of one check.
type Status string

// The outcomes.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip" // it does not apply, or cannot be told; Happened says why
)

// Result is what one check found.
type Result struct {
	Check    string   `json:"check"`
	Status   Status   `json:"status"`
	Expected string   `json:"expected"`
	Happened []string `json:"happened,omitempty"` // foreign text: escape it before it reaches a terminal
	Section  string   `json:"section"`            // of the page that says so, as a link
	Seconds  float64  `json:"seconds"`
}

// Program checks the program at path, in whatever language it is written. The
// checks run one after the other, as the results are asked for; breaking off the
// iteration ends what was started.
func Program(ctx context.Context, path string, args []string, o Options) iter.Seq[Result] {
	opts := o.withDefaults()
	return (&suite{opts: opts, program: &program{path: path, args: args, opts: opts}}).run(ctx)
}

// Scanner checks a scanner within the process, which draining leaves of no use
// afterwards. Checks of the process around a scanner are left out.
func Scanner(ctx context.Context, s scanner.Scanner, o Options) iter.Seq[Result] {
	return (&suite{opts: o.withDefaults(), value: s, serve: func() (*Client, func(), error) { return Serve(s) }}).run(ctx)
}

// suite is one run over one scanner.
type suite struct {
	opts    *Options
	program *program        // nil within the process
	value   scanner.Scanner // nil for a program
	serve   func() (client *Client, stop func(), err error)

	about   *scannerv1.DescribeResponse
	samples []sample
	link    *link  // configured, shared by checks that leave it so
	lost    string // why there can be no connection
	bare    string // why there can be no configured scanner

	mu   sync.Mutex
	seen []observation
}

// observation is a verdict that some check was given.
type observation struct {
	name    string
	content scanner.Content
	verdict scanner.Verdict
}

// need is what must be there before a check makes sense.
type need int

const (
	nothing    need = iota
	connection      // a scanner that says what it is
	configured      // and that takes scans
)

// check is one thing that is expected of a scanner.
type check struct {
	name     string
	expected string
	section  string
	need     need
	process  bool // about a program only
	value    bool // about a value within the process only
	run      func(p *probe)
}

func (s *suite) run(ctx context.Context) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		defer s.drop()
		for _, c := range checks() {
			if c.process && s.program == nil || c.value && s.value == nil || slices.Contains(s.opts.sizes.omit, c.name) {
				continue
			}
			if !yield(s.judge(ctx, &c)) {
				return
			}
		}
	}
}

func (s *suite) judge(ctx context.Context, c *check) Result {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := &probe{suite: s, ctx: ctx}
	switch {
	case ctx.Err() != nil:
		p.skip("interrupted")
	case c.need >= connection && s.lost != "":
		p.skip("%s", s.lost)
	case c.need >= configured && s.bare != "":
		p.skip("%s", s.bare)
	default:
		c.run(p)
	}
	p.close()
	r := Result{Check: c.name, Status: Pass, Expected: c.expected, Section: Page + c.section}
	switch {
	case len(p.faults) > 0:
		r.Status, r.Happened = Fail, p.faults
	case p.skipped != "":
		r.Status, r.Happened = Skip, []string{p.skipped}
	}
	if s.link != nil && !s.link.alive() {
		s.drop()
	}
	r.Seconds = time.Since(start).Round(time.Millisecond).Seconds()
	return r
}

// drop ends the shared scanner.
func (s *suite) drop() {
	if s.link != nil {
		s.link.stop()
		s.link = nil
	}
}

func (s *suite) observe(o observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, o)
}

func (s *suite) observed() []observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// probe is one check at work.
type probe struct {
	suite   *suite
	ctx     context.Context //nolint:containedctx // it lives as long as one check
	links   []*link         // to be ended with the check
	skipped string

	mu     sync.Mutex
	faults []string
}

// maxFaults bounds what is said about one check.
const maxFaults = 10

func (p *probe) fault(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if len(p.faults) < maxFaults && !slices.Contains(p.faults, text) {
		p.faults = append(p.faults, text)
	}
}

func (p *probe) skip(format string, args ...any) { p.skipped = fmt.Sprintf(format, args...) }

func (p *probe) close() {
	for _, l := range p.links {
		l.stop()
	}
}

// fresh returns a scanner that is not configured and ends with the check; nil
// when there is none, which is then the check's fault.
func (p *probe) fresh() *link {
	l, err := p.suite.connect(p.ctx)
	if err != nil {
		p.fault("%v", err)
		return nil
	}
	p.links = append(p.links, l)
	return l
}

// own returns a configured scanner that ends with the check.
func (p *probe) own() *link {
	l := p.fresh()
	if l == nil {
		return nil
	}
	if err := l.Configure(p.ctx, p.suite.opts.Config); err != nil {
		p.fault("its configuration was refused: %v", err)
		return nil
	}
	return l
}

// ready returns the configured scanner that checks share.
func (p *probe) ready() *link {
	s := p.suite
	if s.link != nil {
		return s.link
	}
	l := p.own()
	if l != nil {
		s.link = l
		p.links = slices.DeleteFunc(p.links, func(other *link) bool { return other == l })
	}
	return l
}

// scan asks for a verdict and faults what is no answer: an end of the process,
// an error that does not say why there is no verdict.
func (p *probe) scan(l *link, name string, c scanner.Content) {
	v, err := l.Scan(p.ctx, c)
	if err == nil {
		p.suite.observe(observation{name: name, content: c, verdict: v})
		return
	}
	p.answered(l, name, err)
}

// answered faults an error that is none of the contract's.
func (p *probe) answered(l *link, name string, err error) {
	if words, ended := l.ended(err); ended {
		p.fault("%s: the process ended%s", name, words)
		return
	}
	e, ok := errors.AsType[*scanner.Error](err)
	switch {
	case !ok:
		p.fault("%s: %v", name, err)
	case !l.detailed(err):
		p.fault("%s: the call failed without a ScanError among its details: %v", name, err)
	case e.Reason == scanner.ReasonUnspecified || e.Reason == scanner.ReasonInternal:
		p.fault("%s: the scan failed without a reason: %v", name, err)
	}
}

// wantReason faults anything but an error of that reason.
func (p *probe) wantReason(name string, v scanner.Verdict, err error, want scanner.Reason) {
	e, ok := errors.AsType[*scanner.Error](err)
	switch {
	case err == nil:
		p.fault("%s: got the action %v instead of an error with the reason %v", name, v.Action, want)
	case !ok || e.Reason != want:
		p.fault("%s: got the error %q instead of one with the reason %v", name, err, want)
	}
}
