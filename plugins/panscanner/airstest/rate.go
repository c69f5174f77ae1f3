package airstest

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limiter is the rate limiter of a tenant: three token buckets.
type limiter struct {
	mu      sync.Mutex
	scans   bucket
	tokens  bucket
	queries bucket
}

// bucket is a token bucket; a zero rate means no limit.
type bucket struct {
	rate, burst, level float64 // per second, maximum, now
	at                 time.Time
}

func newLimiter(r Rate) *limiter {
	full := func(rate, burst float64) bucket {
		return bucket{rate: rate, burst: burst, level: burst, at: time.Now()}
	}
	return &limiter{
		scans:   full(r.RequestsPerSecond, max(1, float64(r.Burst))),
		tokens:  full(r.TokensPerMinute/60, r.TokensPerMinute),
		queries: full(r.QueriesPerMinute/60, max(1, r.QueriesPerMinute)),
	}
}

// scan takes n requests with a body of so many bytes.
func (l *limiter) scan(n, bytes int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	const bytesPerToken = 4
	now := time.Now()
	return l.scans.take(float64(n), now) && l.tokens.take(float64(bytes)/bytesPerToken, now)
}

// query takes one look-up of results or reports.
func (l *limiter) query() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queries.take(1, time.Now())
}

func (b *bucket) take(n float64, now time.Time) bool {
	if b.rate <= 0 {
		return true
	}
	b.level = min(b.burst, b.level+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
	if b.level < n {
		return false
	}
	b.level -= n
	return true
}

// writeRateLimited answers 429. The OpenAPI document nests retry_after in
// error; clients have been seen to look for it elsewhere, and a gateway in
// front of the service may answer in its own way, hence the shapes.
func writeRateLimited(w http.ResponseWriter, r Rate) {
	retry := map[string]any{"interval": r.Interval, "unit": r.Unit}
	message := map[string]any{"message": msgRate}
	body := map[string]any{"error": message}
	switch r.Shape {
	case "top":
		body["retry_after"] = retry
	case "header":
		seconds := r.Interval
		if r.Unit == "minute" {
			seconds *= 60
		}
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	case "fault":
		body = map[string]any{"fault": map[string]any{
			"faultstring": "Rate limit quota violation",
			"detail":      map[string]any{"errorcode": "policies.ratelimit.QuotaViolation"},
		}}
	case "none":
	default:
		message["retry_after"] = retry
	}
	writeJSON(w, http.StatusTooManyRequests, body)
}
