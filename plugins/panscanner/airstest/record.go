package airstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Record is one request that the emulator received.
type Record struct {
	Time   time.Time
	Method string
	Path   string
	Query  string
	Proto  string // HTTP/1.1 or HTTP/2.0
	TLS    uint16 // version as crypto/tls numbers them; 0: none
	Header http.Header
	Body   []byte
	Status int    // what it answered
	Answer []byte // the body of the answer
	Gone   bool   // the client left before the end, as it does when another answer was faster
}

// Counts sums up what was received.
type Counts struct {
	Requests int // of any kind
	Scans    int // events to judge, in single requests and in batches
	Batches  int // asynchronous requests
	Looks    int // at results and reports
	Refused  int // answered with 429
	Failed   int // answered with 5xx
	Gone     int // left by the client before the end
	// Sessions holds the number of events by session and transaction.
	Sessions map[string]map[string]int
}

// Count sums up records. Bodies that are no scan requests are not counted as scans.
func Count(records []Record) Counts {
	c := Counts{Requests: len(records), Sessions: map[string]map[string]int{}}
	for i := range records {
		r := &records[i]
		switch {
		case r.Status == http.StatusTooManyRequests:
			c.Refused++
		case r.Status >= http.StatusInternalServerError:
			c.Failed++
		}
		if r.Gone {
			c.Gone++
		}
		var one scanRequest
		var rows []asyncObject
		switch {
		case r.Method == http.MethodGet:
			c.Looks++
		case json.Unmarshal(r.Body, &rows) == nil:
			c.Batches++
			for _, row := range rows {
				var req scanRequest
				if json.Unmarshal(row.ScanReq, &req) == nil {
					c.scan(&req)
				}
			}
		case json.Unmarshal(r.Body, &one) == nil:
			c.scan(&one)
		}
	}
	return c
}

func (c *Counts) scan(r *scanRequest) {
	c.Scans++
	turns := c.Sessions[r.SessionID]
	if turns == nil {
		turns = map[string]int{}
		c.Sessions[r.SessionID] = turns
	}
	turns[r.TransactionID]++
}

// Requests returns what was received so far, in the order of completion.
func (s *Server) Requests() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Take returns what was received so far and forgets it.
func (s *Server) Take() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.log
	s.log = nil
	return taken
}

// recorder notes an answer.
type recorder struct {
	http.ResponseWriter
	status int
	body   []byte
}

// Write notes the body.
func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return r.ResponseWriter.Write(p) //nolint:wrapcheck // a writer's error is its caller's business
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
