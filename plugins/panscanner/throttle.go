package panscanner

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

const (
	bytesPerToken = 4 // as the service counts and bills

	tokenBurst   = 5 * time.Second  // of tokens that may be used at once
	longestWait  = 30 * time.Second // of a scan without a deadline
	cutEvery     = time.Second      // refusals that come closer together are one
	longestPause = time.Second      // that a refusal stops everybody for
	slowest      = 1.0 / 64         // share of the limits that is left after many refusals
	recovery     = 1.0 / 30         // share of the limits that comes back in a second
	active       = 5 * time.Second  // that a server counts as one of those that share
	keptFlows    = 256

	tellEvery      = time.Minute
	longestAnswer  = 500 * time.Millisecond // that waiting leaves time for
	longestBacklog = time.Hour
)

// throttle keeps all requests of one configuration within the tenant's limits:
// requests per second and tokens per minute, each a token bucket. Those that must
// wait take turns by server, by the share of the limits that they use, so that a
// server with many or large messages delays nobody but itself. When the service
// refuses all the same, because others use the tenant too, the limits are halved
// and come back slowly.
//
// It is safe for concurrent use, and has no goroutine of its own.
type throttle struct {
	mu       sync.Mutex
	requests bucket
	tokens   bucket
	factor   float64 // share of the limits in use
	floor    float64 // least factor
	seen     time.Time
	cutAt    time.Time // last refusal that counted
	paused   time.Time // nothing is sent before
	told     time.Time // when a refusal was logged
	virtual  float64   // start of the last turn given, in seconds of capacity
	flows    map[string]*flow
	waiting  []*flow // those with turns
	timer    *time.Timer
}

// bucket holds what may be used at once. It may go below zero: what is larger
// than the bucket passes when nothing is owed, and is paid back.
type bucket struct{ rate, burst, level float64 } // per second; most; now

// flow is one server. Times are in seconds of the tenant's whole capacity.
type flow struct {
	turns  []*turn
	finish float64   // of its last turn
	alone  time.Time // when full limits would be done with it, were it alone
	asked  time.Time // the last time
}

// turn is one request that waits.
type turn struct {
	flow    *flow
	start   float64
	tokens  float64
	backlog time.Duration // what its own server had asked for and was not done with
	waited  time.Duration // its own; set when the wait ends
	granted chan struct{}
}

func newThrottle(c *config) *throttle {
	t := &throttle{
		requests: bucket{rate: c.rate, burst: float64(c.burst), level: float64(c.burst)},
		factor:   1, floor: max(slowest, min(1, 1/c.rate)), seen: time.Now(), flows: map[string]*flow{},
	}
	perSecond := float64(c.tokensPerMinute) / 60
	t.tokens = bucket{rate: perSecond, burst: perSecond * tokenBurst.Seconds()}
	t.tokens.level = t.tokens.burst
	return t
}

// wait returns when a request of so many bytes may be sent for a server, or why
// there is no turn for it in time.
func (t *throttle) wait(ctx context.Context, server string, bytes int) (*turn, *scanner.Error) {
	now := time.Now()
	until := longestWait
	if deadline, ok := ctx.Deadline(); ok {
		until = deadline.Sub(now)
		until -= max(leastUseful, min(longestAnswer, until/5))
	}
	t.mu.Lock()
	me := t.enter(now, server, float64(bytes)/bytesPerToken)
	t.dispatch(now)
	t.mu.Unlock()
	select {
	case <-me.granted:
		return me, nil
	default:
	}
	timer := time.NewTimer(until)
	defer timer.Stop()
	select {
	case <-me.granted:
	case <-timer.C:
	case <-ctx.Done():
	}
	if me.waited = time.Since(now); t.leave(me) {
		return nil, t.late(me)
	}
	return me, nil
}

// late is the failure of a request whose turn came too late. It is held against
// the content when a fair share of the full limits would not have given its server
// the turn in time either: a flood could otherwise be turned into an outage.
func (t *throttle) late(me *turn) *scanner.Error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, sharing := time.Now(), 0
	for _, other := range t.flows {
		if other == me.flow || now.Sub(other.asked) < active+me.waited {
			sharing++
		}
	}
	behind := float64(len(me.flow.turns)+1) / (t.requests.rate * t.factor)
	failure := &scanner.Error{
		Reason: scanner.ReasonRateLimited, RetryAfter: max(time.Second, scaled(behind, time.Second)),
		Message: "no request to Prisma AIRS became free in time: see rate and tokens_per_minute",
	}
	allowed := me.waited + scaled(t.requests.burst/t.requests.rate, time.Second)
	if me.backlog*time.Duration(sharing) >= allowed {
		failure.ContentCaused = true
		failure.Message = "this server asks for more than its share of the requests to Prisma AIRS: see rate and tokens_per_minute"
	}
	return failure
}

// enter queues a turn.
func (t *throttle) enter(now time.Time, server string, tokens float64) *turn {
	cost := max(1/t.requests.rate, tokens/t.tokens.rate)
	f := t.flows[server]
	if f == nil {
		t.forget(now)
		f = &flow{alone: now}
		t.flows[server] = f
	}
	if f.asked = now; f.alone.Before(now) {
		f.alone = now
	}
	if f.alone = f.alone.Add(scaled(cost, time.Second)); f.alone.Sub(now) > longestBacklog {
		f.alone = now.Add(longestBacklog)
	}
	me := &turn{flow: f, start: max(t.virtual, f.finish), tokens: tokens, backlog: f.alone.Sub(now), granted: make(chan struct{})}
	f.finish = me.start + cost
	if f.turns = append(f.turns, me); len(f.turns) == 1 {
		t.waiting = append(t.waiting, f)
	}
	return me
}

// leave takes a turn back. It reports false when it was given meanwhile.
func (t *throttle) leave(me *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := me.flow
	i := slices.Index(f.turns, me)
	if i < 0 {
		return false
	}
	if f.turns = slices.Delete(f.turns, i, i+1); len(f.turns) == 0 {
		t.waiting = slices.DeleteFunc(t.waiting, func(other *flow) bool { return other == f })
	}
	return true
}

// spare takes a request without waiting, if nobody else does and there is one.
func (t *throttle) spare(bytes int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.refill(now)
	if len(t.waiting) > 0 || t.delay(now) > 0 {
		return false
	}
	t.requests.level--
	t.tokens.level -= float64(bytes) / bytesPerToken
	return true
}

// refused takes note that the service had enough. Asked is how long it wants to
// be left alone; the request that it refused waits that long, all others for a
// moment only, since it may mean that one. It returns the share of the limits that
// is left, and whether that is news.
func (t *throttle) refused(asked time.Duration) (limits float64, noticed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.refill(now)
	if !t.cutAt.IsZero() && now.Sub(t.cutAt) < cutEvery {
		return t.factor, false
	}
	t.cutAt, t.factor = now, max(t.floor, t.factor/2)
	t.requests.level = min(t.requests.level, 0)
	t.paused = now.Add(min(asked, longestPause))
	if noticed = now.Sub(t.told) > tellEvery || t.told.IsZero(); noticed {
		t.told = now
	}
	return t.factor, noticed
}

// expect returns how long n more requests would wait.
func (t *throttle) expect(n int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.refill(now)
	for _, f := range t.waiting {
		n += len(f.turns)
	}
	return max(0, scaled((float64(n)-t.requests.level)/(t.requests.rate*t.factor), time.Second))
}

// dispatch gives turns while the limits allow, and sets the timer for the next.
func (t *throttle) dispatch(now time.Time) {
	t.refill(now)
	for len(t.waiting) > 0 {
		if d := t.delay(now); d > 0 {
			t.wake(min(d, time.Second)) // the limits may come back sooner
			return
		}
		f := slices.MinFunc(t.waiting, func(a, b *flow) int {
			if a.turns[0].start < b.turns[0].start {
				return -1
			}
			return 1
		})
		next := f.turns[0]
		if f.turns = f.turns[1:]; len(f.turns) == 0 {
			t.waiting = slices.DeleteFunc(t.waiting, func(other *flow) bool { return other == f })
			f.turns = nil
		}
		t.virtual = next.start
		t.requests.level--
		t.tokens.level -= next.tokens
		close(next.granted)
	}
}

// wake dispatches again after d. A timer too many does no harm.
func (t *throttle) wake(d time.Duration) {
	if t.timer == nil {
		t.timer = time.AfterFunc(d, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.dispatch(time.Now())
		})
		return
	}
	t.timer.Reset(d)
}

// refill adds what the time since the last look is worth. A clock that jumps
// fills the buckets at most.
func (t *throttle) refill(now time.Time) {
	elapsed := max(0, now.Sub(t.seen).Seconds())
	t.seen = now
	t.requests.fill(elapsed * t.factor)
	t.tokens.fill(elapsed * t.factor)
	t.factor = min(1, t.factor+elapsed*recovery)
}

func (b *bucket) fill(seconds float64) { b.level = min(b.burst, b.level+seconds*b.rate) }

// delay returns how long the limits keep the next request.
func (t *throttle) delay(now time.Time) time.Duration {
	d := max(t.paused.Sub(now), 0)
	if short := 1 - t.requests.level; short > 0 {
		d = max(d, time.Duration(math.Ceil(short/(t.requests.rate*t.factor)*float64(time.Second))))
	}
	if t.tokens.level < 0 {
		d = max(d, time.Duration(math.Ceil(min(-t.tokens.level/(t.tokens.rate*t.factor), longestWait.Seconds())*float64(time.Second))))
	}
	return d
}

// forget drops servers that were not heard of for a while.
func (t *throttle) forget(now time.Time) {
	if len(t.flows) < keptFlows {
		return
	}
	for name, f := range t.flows {
		if len(f.turns) == 0 && f.alone.Before(now) && now.Sub(f.asked) > active {
			delete(t.flows, name)
		}
	}
}
