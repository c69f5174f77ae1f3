package plugin

import (
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

const (
	breakerWindow   = 10 // seconds that are looked back on
	breakerCalls    = 20 // calls in them before a ratio says anything
	breakerTimeouts = 5  // timeouts in a row
	breakerFirst    = 5 * time.Second
	breakerLongest  = time.Minute
)

// outcome is what a scan says about the scanner's health.
type outcome uint8

const (
	neutral   outcome = iota // nothing: cancelled, or never in the scanner
	success                  // it answered
	outage                   // it failed, and not by this content
	byContent                // it failed over this content
	timeout                  // it did not answer in time; also over this content
	crashed                  // it ended; perhaps over this content
)

// breaker keeps one server's content from a scanner that fails over it, so that
// failing takes no time and no slot. After a pause one scan may probe.
type breaker struct {
	mu    sync.Mutex
	state breakerState
}

// breakerState is guarded by breaker.mu. The zero value is a closed breaker.
type breakerState struct {
	seconds  [breakerWindow]second
	timeouts int // in a row

	open    bool
	until   time.Time
	pause   time.Duration
	probing bool
	cause   verdict.Cause // of the failures that opened it
}

// second counts the scans that ended in one second.
type second struct{ at, calls, failures, byContent int64 }

// admit reports whether a scan may go ahead, and otherwise whose fault that is.
// After true, record must be called.
func (b *breaker) admit(now time.Time) (bool, verdict.Cause) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.state.open {
		return true, verdict.CauseUnspecified
	}
	if b.state.probing || now.Before(b.state.until) {
		return false, b.state.cause
	}
	b.state.probing = true
	return true, verdict.CauseUnspecified
}

// record takes note of how a scan that was admitted ended.
func (b *breaker) record(now time.Time, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.open {
		b.state.conclude(now, o)
	} else if o != neutral {
		b.state.count(now, o)
	}
}

// conclude ends a probe. Scans from before the breaker opened say nothing.
func (b *breakerState) conclude(now time.Time, o outcome) {
	if !b.probing {
		return
	}
	b.probing = false
	switch o {
	case neutral: // the next scan probes
	case success:
		*b = breakerState{}
	default:
		b.trip(now, min(2*b.pause, breakerLongest))
	}
}

func (b *breakerState) count(now time.Time, o outcome) {
	s := &b.seconds[now.Unix()%breakerWindow]
	if s.at != now.Unix() {
		*s = second{at: now.Unix()}
	}
	s.calls++
	if o == timeout {
		b.timeouts++
	} else {
		b.timeouts = 0
	}
	if o == success {
		return
	}
	s.failures++
	if o != outage {
		s.byContent++
	}
	b.decide(now)
}

// decide opens the breaker when the window says so. One failure by content is
// enough for its cause: whoever wrote that content must not be able to turn its
// own failures into an outage.
func (b *breakerState) decide(now time.Time) {
	var sum second
	for _, s := range b.seconds {
		if now.Unix()-s.at < breakerWindow {
			sum.calls += s.calls
			sum.failures += s.failures
			sum.byContent += s.byContent
		}
	}
	if b.timeouts < breakerTimeouts && (sum.calls < breakerCalls || 2*sum.failures < sum.calls) {
		return
	}
	b.cause = verdict.CauseOutage
	if sum.byContent > 0 {
		b.cause = verdict.CauseContent
	}
	b.trip(now, breakerFirst)
}

func (b *breakerState) trip(now time.Time, pause time.Duration) {
	b.open, b.pause, b.until, b.timeouts = true, pause, now.Add(pause), 0
}
