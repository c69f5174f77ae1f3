package airsbench

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

// Scenario is a relay with its scanner, and how the service treats it.
type Scenario struct {
	Name string
	// Overlap has the relay send calls while their requests are judged.
	Overlap bool
	// Cache has verdicts kept, and Same has every call ask for the same.
	Cache, Same bool
	// Scanner has more members of the scanner's configuration.
	Scanner map[string]any
	// Rate is what the service lets through.
	Rate airstest.Rate
	// Every n-th scan fails with 503, and every n-th never ends; 0: none.
	Failing, Hanging int64
}

// Scenarios returns what is measured. The limits of the tenant are out of reach
// where they are not the subject.
func Scenarios() []Scenario {
	return []Scenario{
		{Name: "plain", Scanner: unlimited()},
		{Name: "overlap", Overlap: true, Scanner: unlimited()},
		{Name: "hedged", Scanner: with(unlimited(), "hedge_after", "p95")},
		{Name: "kept verdicts", Cache: true, Same: true, Scanner: unlimited()},
		{Name: "published limit", Rate: airstest.ServiceRate()},
		{Name: "throttled", Rate: scarce},
		{Name: "throttled, `rate: 50`", Rate: scarce, Scanner: map[string]any{"rate": scarce.RequestsPerSecond}},
		{Name: "1 in 10 fails", Failing: 10, Scanner: unlimited()},
		{Name: "1 in 20 hangs", Hanging: 20, Scanner: unlimited()},
	}
}

// scarce is a tenant that has a third of the published limit left.
var scarce = airstest.Rate{RequestsPerSecond: 50, Burst: 10}

func unlimited() map[string]any { return map[string]any{"rate": 10_000, "burst": 1000} }

func with(members map[string]any, name string, value any) map[string]any {
	members[name] = value
	return members
}

// service is the emulator with the faults of a scenario, and counts what it was
// asked.
type service struct {
	*airstest.Server

	scenario *Scenario
	scans    atomic.Int64 // that were asked for
	refused  atomic.Int64 // of these, with 429
}

// ServeHTTP implements http.Handler.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.Server.ServeHTTP(w, r)
		return
	}
	n := s.scans.Add(1)
	switch {
	case s.scenario.Failing > 0 && n%s.scenario.Failing == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
	case s.scenario.Hanging > 0 && n%s.scenario.Hanging == 0:
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	default:
		noted := &status{ResponseWriter: w}
		s.Server.ServeHTTP(noted, r)
		if noted.code == http.StatusTooManyRequests {
			s.refused.Add(1)
		}
	}
}

// status notes the status of an answer.
type status struct {
	http.ResponseWriter

	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
