package airstest

import (
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
