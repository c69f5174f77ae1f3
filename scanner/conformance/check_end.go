package conformance

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mcp-relay/relay/scanner"
)

// endChecks are about how a scanner ends.
func endChecks() []check {
	return []check{
		{
			name: "drain", section: onOrder, need: configured, run: drains,
			expected: "after Drain it is NOT_SERVING and refuses scans with REASON_UNAVAILABLE; Drain may be called again",
		},
		{
			name: "stray-output", section: onHandshake, need: configured, process: true, run: silent,
			expected: "nothing but the handshake line is on standard output",
		},
		{
			name: "interrupt", section: onEnd, need: connection, process: true, run: ignoresInterrupt,
			expected: "it ignores SIGINT, which a terminal sends to every process",
		},
		{
			name: "shutdown", section: onServices, need: connection, process: true, run: shutsDown,
			expected: "plugin.GRPCController/Shutdown, where it is served, ends the process within 2 seconds",
		},
		{
			name: "end-of-input", section: onEnd, need: connection, process: true, run: leaves,
			expected: "the process exits when its standard input ends, within 5 seconds",
		},
		{
			name: "left-processes", section: onEnd, need: configured, process: true, run: leavesNothing,
			expected: "no process that it started is left when it has ended",
		},
	}
}

func drains(p *probe) {
	l := p.own()
	if l == nil {
		return
	}
	if err := l.Drain(p.ctx); err != nil {
		p.fault("Drain failed: %v", err)
		return
	}
	if ready, err := l.Ready(p.ctx); err != nil || ready {
		p.fault("it is SERVING afterwards: %v", err)
	}
	v, err := l.Scan(p.ctx, p.suite.plain())
	p.wantReason("a scan afterwards", v, err, scanner.ReasonUnavailable)
	if err != nil && !l.detailed(err) {
		p.fault("a scan afterwards fails without a ScanError among its details")
	}
	if err := l.Drain(p.ctx); err != nil {
		p.fault("Drain failed when called again: %v", err)
	}
}

func ignoresInterrupt(p *probe) {
	if !groups {
		p.skip("this system has no such signal")
		return
	}
	l := p.fresh()
	if l == nil {
		return
	}
	if _, err := p.suite.describe(p.ctx, l); err != nil { // it is up
		p.fault("%v", err)
		return
	}
	if err := interrupt(l.child.cmd.Process); err != nil {
		p.fault("it cannot be interrupted: %v", err)
		return
	}
	if l.child.gone(300 * time.Millisecond) {
		p.fault("it ended%s", l.child.lastWords())
		return
	}
	if _, err := p.suite.describe(p.ctx, l); err != nil {
		p.fault("it no longer answers: %v", err)
	}
}

func shutsDown(p *probe) {
	l := p.fresh()
	if l == nil {
		return
	}
	err := l.conn.Invoke(p.ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) == codes.Unimplemented {
		p.skip("it is not served: other hosts of go-plugin need it")
		return
	}
	// A server that ends at once may not come to answer.
	if !l.child.gone(2 * time.Second) {
		p.fault("the process still runs after 2 seconds: %v", errors.Join(err))
	}
}

func leaves(p *probe) {
	l := p.fresh()
	if l == nil {
		return
	}
	if !p.leave(l) {
		p.fault("it still runs %v later", p.suite.opts.sizes.leave)
	}
}

func leavesNothing(p *probe) {
	if !groups {
		p.skip("this system does not say what belongs to a process")
		return
	}
	l := p.own()
	if l == nil {
		return
	}
	for _, s := range p.suite.small() {
		_, _ = l.Scan(p.ctx, s.content())
	}
	if !p.leave(l) {
		return // another check says so
	}
	for range 50 {
		if groupEmpty(l.child.cmd.Process) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.fault("processes of its group are left")
}
